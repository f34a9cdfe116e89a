//! What the machine itself costs: each row of the platform as a range on one logarithmic scale.

use abi::series::SeriesRow;
use evidence::gate::SeriesPlace;
use maud::html;
use report::Table;
use results::System;

use super::Figure;
use super::legend::{self, style_of};
use super::over_boots::{OverBoots, Places, cpus, row_name};
use crate::svg::{Frame, Path, Plot, Scale, WIDTH, drawing, number, time_text};
use crate::table::empty;

/// How high a line is.
const LINE: f64 = 15.0;

/// The figure; `None` if no run measured the platform.
pub fn costs(places: &Places<'_>) -> Option<Figure> {
    let shown: Vec<_> = places
        .iter()
        .filter(|((place, _), _)| ![SeriesRow::CoreToCore, SeriesRow::HwNoise].contains(&place.row))
        .collect();
    if shown.is_empty() {
        return None;
    }
    let systems: Vec<System> = {
        let mut all: Vec<System> = shown.iter().map(|((_, system), _)| *system).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let frame = Frame { left: 168.0, right: WIDTH - 14.0, top: 8.0, bottom: 8.0 + LINE * shown.len() as f64 };
    let values = shown.iter().flat_map(|(_, over)| [over.cost(|of| of.min), over.cost(|of| of.max)]);
    let plot = Plot {
        frame,
        x: Scale::log_around(values.collect::<Vec<_>>()),
        y: Scale::Linear { low: 0.0, high: 1.0 },
    };
    let mut grid = Path::default();
    let ticks: Vec<(f64, String)> = plot.x.ticks(7).into_iter().map(|ns| (ns, time_text(ns))).collect();
    for (ns, _) in &ticks {
        grid.line((plot.at_x(*ns), frame.top), (plot.at_x(*ns), frame.bottom));
    }
    let lines: Vec<_> = shown
        .iter()
        .enumerate()
        .map(|(line, ((place, system), over))| {
            let y = frame.top + LINE * (line as f64 + 0.5);
            let x = |of| plot.at_x(over.cost(of));
            let [mut range, mut body, mut ring, mut middle] =
                std::array::from_fn::<_, 4, _>(|_| Path::default());
            range.line((x(|of| of.min), y), (x(|of| of.max), y));
            body.line((x(|of| of.median), y), (x(|of| of.p99), y));
            ring.ring(x(|of| of.max), y, 2.2);
            middle.line((x(|of| of.median), y - 4.5), (x(|of| of.median), y + 4.5));
            (
                y,
                format!("{} {}", row_name(place), cpus(place)),
                style_of(*system),
                [range, body, ring, middle],
            )
        })
        .collect();
    let content = html! {
        path class="grid" d=(grid.text()) {}
        (plot.axes(&ticks, &[], ["time of one operation", ""]))
        @for (y, name, style, [range, body, ring, middle]) in &lines {
            text class="tick long" x="162" y=(number(y + 4.0)) text-anchor="end" { (name) }
            path class=(format!("thin s{style}")) d=(range.text()) {}
            path class=(format!("body s{style}")) d=(body.text()) {}
            path class=(format!("rings s{style}")) d=(ring.text()) {}
            path class=(format!("middle s{style}")) d=(middle.text()) {}
        }
    };
    Some(Figure {
        name: "What the machine costs".to_owned(),
        drawing: drawing(
            frame.drawing_height(),
            &format!("The range of {} rows of the platform, in time of one operation.", lines.len()),
            &content,
        ),
        caption: html! {
            p { "Each line: a row, its argument and its CPU. Tick: median; thick: to the 99th percentile; thin: from the least "
                "to the greatest (ring). Medians over the boots." }
            p class="legend" { (legend::systems(&systems)) }
        },
        data: Some(table(&shown)),
    })
}

fn table(shown: &[(&(SeriesPlace, System), &OverBoots<'_>)]) -> Table {
    let header = ["row", "cpu", "system", "samples", "min", "median", "p95", "p99", "max", "mean"];
    let mut table = empty(header, &[0, 2]);
    for ((place, system), over) in shown {
        let mut row = vec![row_name(place), cpus(place), system.to_string(), over.samples().to_string()];
        let costs: [fn(&evidence::gate::Costs) -> f64; 6] =
            [|of| of.min, |of| of.median, |of| of.p95, |of| of.p99, |of| of.max, |of| of.mean];
        row.extend(costs.map(|of| time_text(over.cost(of))));
        table.rows.push(row);
    }
    table
}
