//! The scaling curve: how much faster each case is than the smallest one, beside the ideal.

use std::collections::BTreeMap;

use maud::{Markup, html};
use report::Table;
use results::{CaseRow, Results, System};

use super::Figure;
use super::legend::{self, style_of};
use crate::points::{Point, Points};
use crate::svg::{Frame, Path, Plot, Scale, drawing};
use crate::table::empty;

/// What a figure shows of a speed-up.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shown {
    /// The speed-up itself.
    SpeedUp,
    /// The same ratio of times in weak scaling, in which every worker does the whole: ideal is 1.
    Efficiency,
    /// Its part of the ideal, in percent: the same data on a scale on which differences are seen.
    PartOfIdeal,
}

impl Shown {
    const fn name(self) -> &'static str {
        match self {
            Self::SpeedUp => "speed-up",
            Self::Efficiency => "efficiency",
            Self::PartOfIdeal => "% of the ideal",
        }
    }

    /// The ideal ratio of times.
    fn ideal(self, case: u16, smallest: u16) -> f64 {
        match self {
            Self::Efficiency => 1.0,
            Self::SpeedUp | Self::PartOfIdeal => f64::from(case) / f64::from(smallest.max(1)),
        }
    }

    fn of(self, speedup: f64, case: u16, smallest: u16) -> f64 {
        match self {
            Self::SpeedUp | Self::Efficiency => speedup,
            Self::PartOfIdeal => 100.0 * speedup * f64::from(smallest) / f64::from(case.max(1)),
        }
    }
}

/// The scaling curve; `None` if there is one case only.
pub fn scaling(results: &Results, points: &Points) -> Option<Figure> {
    figure(results, points, if results.experiment.is_weak() { Shown::Efficiency } else { Shown::SpeedUp })
}

/// The same as a part of the ideal; `None` if there is one case only, and in weak scaling, which is shown so already.
pub fn efficiency(results: &Results, points: &Points) -> Option<Figure> {
    let strong = !results.experiment.is_weak();
    strong.then(|| figure(results, points, Shown::PartOfIdeal))?
}

fn figure(results: &Results, points: &Points, shown: Shown) -> Option<Figure> {
    let cases = points.cases();
    let last = *cases.last().filter(|_| cases.len() > 1)?;
    let plot = plot(&cases, points, shown);
    let systems = points.systems();
    let ideal = ideal(&plot, cases[0], last, shown);
    let series: Vec<Markup> =
        systems.iter().map(|&system| series(&plot, results, points, system, shown)).collect();
    let across: Vec<_> = cases.iter().map(|&case| (f64::from(case), name(results, case))).collect();
    let content = html! {
        (plot.axes(&across, &plot.y.labelled(6), ["workers", shown.name()]))
        path class="ideal" d=(ideal.text()) {}
        @for series in &series { (series) }
    };
    let description = describe(results, &systems);
    Some(Figure {
        name: if shown == Shown::PartOfIdeal { "Part of the ideal" } else { "Scaling" }.to_owned(),
        drawing: drawing(plot.frame.drawing_height(), &description, &content),
        caption: html! {
            @if shown == Shown::Efficiency { p { "Weak scaling: every worker does the whole." } }
            @if shown != Shown::PartOfIdeal {
                p { "Dashed: the ideal. Marks: medians of what counts, with their intervals. Dots beside them: every iteration, as "
                    "the smallest case's time of its round divided by its own. A star: function only, not speed." }
            } @else {
                p { "The same on a scale on which differences are seen." }
            }
            p class="legend" { (legend::systems(&systems)) (legend::excluded(points)) }
        },
        data: (shown != Shown::PartOfIdeal).then(|| table(results, points)),
    })
}

/// A case's name; marked if it shows function only.
fn name(results: &Results, case: u16) -> String {
    let functional =
        results.cases.iter().any(|row| row.stats.case == case && row.stats.functional_only.is_some());
    format!("{case}{}", if functional { "*" } else { "" })
}

fn plot(cases: &[u16], points: &Points, shown: Shown) -> Plot {
    let smallest = cases[0].max(1);
    let values = points.all.iter().filter_map(|point| Some(shown.of(point.speedup?, point.case, smallest)));
    let across = cases.iter().map(|&case| f64::from(case));
    let most = f64::from(*cases.last().unwrap_or(&1));
    let ideal = most / f64::from(smallest);
    // From about ten workers on, equal steps would put the small cases on one spot.
    let is_wide = ideal > 10.0;
    let x = if is_wide {
        Scale::log_around(across)
    } else {
        let margin = (most - f64::from(smallest)) * 0.09;
        Scale::Linear { low: f64::from(smallest) - margin, high: most + margin }
    };
    let y = match shown {
        Shown::PartOfIdeal => Scale::around(values.chain([100.0])),
        Shown::SpeedUp if is_wide => Scale::log_around(values.chain([1.0, ideal])),
        Shown::SpeedUp => Scale::from_zero(values.chain([ideal])),
        Shown::Efficiency => Scale::from_zero(values.chain([1.0])),
    };
    Plot { frame: Frame::of_height(if shown == Shown::PartOfIdeal { 220.0 } else { 270.0 }), x, y }
}

fn ideal(plot: &Plot, first: u16, last: u16, shown: Shown) -> Path {
    let mut ideal = Path::default();
    for case in [first, last] {
        let ratio = shown.ideal(case, first);
        ideal.corner(plot.at_x(f64::from(case)), plot.at_y(shown.of(ratio, case, first)));
    }
    ideal
}

/// One system: its dots, its intervals, its medians and the line through them.
fn series(plot: &Plot, results: &Results, points: &Points, system: System, shown: Shown) -> Markup {
    let (systems, smallest) = (points.systems(), points.cases()[0]);
    let place = systems.iter().position(|&of| of == system).unwrap_or(0) as f64;
    let shift = (place - (systems.len() as f64 - 1.0) / 2.0) * 22.0;
    let (mut counted, mut rings) = (Path::default(), BTreeMap::<&str, Path>::new());
    for point in points.all.iter().filter(|point| point.system == system) {
        let Some(speedup) = point.speedup else { continue };
        let value = shown.of(speedup, point.case, smallest);
        let (x, y) = (plot.at_x(f64::from(point.case)) + shift + 10.0 + jitter(point), plot.at_y(value));
        match point.excluded {
            None => counted.dot(x, y),
            Some(reason) => rings.entry(reason).or_default().ring(x, y, 2.6),
        }
    }
    let (mut line, mut marks, mut whiskers) = (Path::default(), Path::default(), Path::default());
    for row in rows(results, system) {
        let Some(speedup) = &row.stats.speedup else { continue };
        let x = plot.at_x(f64::from(row.stats.case)) + shift;
        let at_y = |speedup| plot.at_y(shown.of(speedup, row.stats.case, smallest));
        line.corner(x, at_y(speedup.median));
        marks.mark(style_of(system), x, at_y(speedup.median));
        if let Some(interval) = speedup.interval {
            let (low, high) = (at_y(interval.low), at_y(interval.high));
            whiskers.line((x, low), (x, high));
            [low, high].into_iter().for_each(|y| whiskers.line((x - 5.0, y), (x + 5.0, y)));
        }
    }
    let class = |kind: &str| format!("{kind} s{}", style_of(system));
    html! {
        path class=(class("dots")) d=(counted.text()) {}
        @for (reason, path) in &rings { path class=(class("rings")) d=(path.text()) { title { "excluded: " (reason) } } }
        path class=(class("curve")) d=(line.text()) {}
        path class=(class("whisker")) d=(whiskers.text()) {}
        path class=(class("mark")) d=(marks.text()) {}
    }
}

/// A few units to the left or right, so that dots with one value are seen as several.
fn jitter(point: &Point) -> f64 {
    f64::from((point.round.0 * 7 + u32::from(point.round.1) * 5 + u32::from(point.iteration) * 3) % 9) * 0.8
}

fn rows(results: &Results, system: System) -> impl Iterator<Item = &CaseRow> {
    results.cases.iter().filter(move |row| row.system == system)
}

fn describe(results: &Results, systems: &[System]) -> String {
    let ratio = if results.experiment.is_weak() { "Efficiency" } else { "Speed-up" };
    let mut text = format!("{ratio} by the number of workers.");
    for &system in systems {
        for row in rows(results, system) {
            if let Some(speedup) = row.stats.speedup.as_ref().filter(|of| of.against != row.stats.case) {
                text += &format!(" {system}, {} workers: {:.3}.", row.stats.case, speedup.median);
            }
        }
    }
    text
}

/// One row for each case: the figures as they are drawn.
fn table(results: &Results, points: &Points) -> Table {
    let mut table =
        empty(["system", "workers", "median", "interval", "as experienced", "ideal", "dots", "hollow"], &[0]);
    for made in &results.experienced {
        let (system, case) = (made.system, made.case);
        let counted = results.cases.iter().find(|row| (row.system, row.stats.case) == (system, case));
        let speedup = counted.and_then(|row| row.stats.speedup.as_ref());
        let mine = || points.all.iter().filter(|point| (point.system, point.case) == (system, case));
        let base = mine().next().and_then(|_| speedup.map(|of| of.against)).unwrap_or(case);
        let mark = if counted.is_some_and(|row| row.stats.functional_only.is_some()) { "*" } else { "" };
        table.rows.push(vec![
            system.to_string(),
            format!("{case}{mark}"),
            speedup.map_or("-".to_owned(), |of| format!("{:.3}", of.median)),
            speedup
                .and_then(|of| of.interval)
                .map_or("-".to_owned(), |of| format!("{:.3} to {:.3}", of.low, of.high)),
            made.speedup.as_ref().map_or("-".to_owned(), |of| format!("{:.3}", of.median)),
            format!(
                "{:.0}",
                if results.experiment.is_weak() { 1.0 } else { f64::from(case) / f64::from(base.max(1)) }
            ),
            mine().filter(|point| point.excluded.is_none()).count().to_string(),
            mine().filter(|point| point.excluded.is_some()).count().to_string(),
        ]);
    }
    table
}
