//! Every iteration's time by its round, a panel for each case.

use std::collections::BTreeMap;

use maud::html;
use report::Table;
use results::{Pairing, Results, System};
use stats::Round;

use super::Figure;
use super::legend::{self, style_of};
use crate::points::{Point, Points};
use crate::svg::{Frame, Path, Plot, Scale, drawing};
use crate::table::empty;

/// The most rounds that the table lists.
const LISTED: usize = 2_000;

/// A figure for each case; empty if there is no time.
pub fn rounds(results: &Results, points: &Points) -> Vec<Figure> {
    let iterations = results.experiment.pairing == Pairing::Iterations;
    let of_case = |case: u16| of_case(points, case, iterations);
    points.cases().into_iter().map(of_case).collect()
}

fn of_case(points: &Points, case: u16, iterations: bool) -> Figure {
    let mine: Vec<&Point> = points.all.iter().filter(|point| point.case == case).collect();
    let systems: Vec<System> = points.systems();
    let last = mine.iter().map(|point| number_of(point.round, iterations)).max().unwrap_or(1);
    let plot = Plot {
        frame: Frame::of_height(150.0),
        x: Scale::Linear { low: 0.3, high: f64::from(last) + 0.7 },
        y: Scale::around(mine.iter().map(|point| point.time)),
    };
    let mut counted: BTreeMap<System, Path> = BTreeMap::new();
    let mut rings: BTreeMap<(System, &str), Path> = BTreeMap::new();
    for point in &mine {
        let place = systems.iter().position(|&of| of == point.system).unwrap_or(0) as f64;
        let shift = (place - (systems.len() as f64 - 1.0) / 2.0) * 3.0;
        let x = plot.at_x(f64::from(number_of(point.round, iterations))) + shift;
        match point.excluded {
            None => counted.entry(point.system).or_default().dot(x, plot.at_y(point.time)),
            Some(reason) => {
                rings.entry((point.system, reason)).or_default().ring(x, plot.at_y(point.time), 2.6)
            }
        }
    }
    let whole = plot.x.ticks(8).into_iter().filter(|value| value.fract() == 0.0);
    let across: Vec<_> = whole.map(|value| (value, format!("{value:.0}"))).collect();
    let what = if iterations { "iteration" } else { "round" };
    let content = html! {
        (plot.axes(&across, &plot.y.labelled(5), [what, points.unit]))
        @for (system, path) in &counted { path class=(format!("dots s{}", style_of(*system))) d=(path.text()) {} }
        @for ((system, reason), path) in &rings {
            path class=(format!("rings s{}", style_of(*system))) d=(path.text()) { title { "excluded: " (reason) } }
        }
    };
    let workers = if case == 1 { "1 worker".to_owned() } else { format!("{case} workers") };
    let description = format!(
        "The time of each iteration with {workers}, by {what}: {} that count, {} excluded.",
        mine.iter().filter(|point| point.excluded.is_none()).count(),
        mine.iter().filter(|point| point.excluded.is_some()).count()
    );
    Figure {
        name: format!("Times, {workers}"),
        drawing: drawing(plot.frame.drawing_height(), &description, &content),
        caption: html! { p class="legend" { (legend::systems(&systems)) (legend::excluded(points)) } },
        data: Some(table(&mine, points.unit, iterations)),
    }
}

/// A round as people count.
fn number_of(round: Round, iterations: bool) -> u32 {
    1 + if iterations { u32::from(round.1) } else { round.0 }
}

/// One row for each round and system: its times, excluded ones in brackets.
fn table(points: &[&Point], unit: &str, iterations: bool) -> Table {
    let what = if iterations { "iteration" } else { "round" };
    let mut rows: BTreeMap<(Round, System), Vec<&Point>> = BTreeMap::new();
    for point in points {
        rows.entry((point.round, point.system)).or_default().push(point);
    }
    let mut table = empty([what, "system", unit, "excluded for"], &[1, 2, 3]);
    let total = rows.len();
    for ((round, system), points) in rows.into_iter().take(LISTED) {
        let time = |point: &&Point| match point.excluded {
            None => format!("{:.2}", point.time),
            Some(_) => format!("({:.2})", point.time),
        };
        let times: Vec<String> = points.iter().map(time).collect();
        let mut reasons: Vec<&str> = points.iter().filter_map(|point| point.excluded).collect();
        reasons.dedup();
        table.rows.push(vec![
            number_of(round, iterations).to_string(),
            system.to_string(),
            times.join(" "),
            if reasons.is_empty() { "-".to_owned() } else { reasons.join(", ") },
        ]);
    }
    if total > LISTED {
        let rest = format!("and {} more: samples.csv has all", total - LISTED);
        table.rows.push(vec!["...".to_owned(), rest, String::new(), String::new()]);
    }
    table
}
