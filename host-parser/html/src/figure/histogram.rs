//! Distributions: of the samples of a row, and of the iterations of a case.

use std::collections::BTreeMap;

use abi::series::SeriesClass;
use maud::html;
use results::System;

use super::Figure;
use super::legend::{self, style_of};
use super::over_boots::{Places, row_name};
use crate::points::Points;
use crate::svg::{Frame, Path, Plot, Scale, drawing, number, time_text};
use crate::table::empty;

/// How many columns a histogram has.
const COLUMNS: usize = 60;
/// The fewest times of which a distribution is shown.
const FEWEST: usize = 20;

/// One system's samples: from, to, how many.
type Samples = Vec<(f64, f64, u64)>;

/// A histogram for each row of the platform that samples single operations, over its CPUs and boots.
pub fn histograms(places: &Places<'_>) -> Vec<Figure> {
    let mut rows: BTreeMap<String, BTreeMap<System, Samples>> = BTreeMap::new();
    for ((place, system), over) in places {
        if place.row.spec().class != SeriesClass::Event {
            continue;
        }
        let samples = rows.entry(row_name(place)).or_default().entry(*system).or_default();
        samples.extend(over.buckets().map(|bucket| (bucket.least, bucket.greatest, bucket.count)));
    }
    rows.retain(|_, systems| systems.values().any(|samples| !samples.is_empty()));
    let about = "Samples of all CPUs and boots; percentiles are exact to 1/64 of their value.";
    rows.iter().map(|(name, systems)| figure(&format!("Distribution, {name}"), about, systems)).collect()
}

/// A histogram of the times of each case, if there are at least [`FEWEST`] that count.
pub fn time_histograms(points: &Points) -> Vec<Figure> {
    if points.unit != "ms" {
        return Vec::new();
    }
    let mut figures = Vec::new();
    for case in points.cases() {
        let mut systems: BTreeMap<System, Samples> = BTreeMap::new();
        for point in points.all.iter().filter(|point| point.case == case && point.excluded.is_none()) {
            let ns = point.time * 1e6;
            systems.entry(point.system).or_default().push((ns, ns, 1));
        }
        systems.retain(|_, samples| samples.len() >= FEWEST);
        if !systems.is_empty() {
            let workers = if case == 1 { "1 worker".to_owned() } else { format!("{case} workers") };
            let about = "The iterations that count, of all rounds.";
            figures.push(figure(&format!("Distribution, {workers}"), about, &systems));
        }
    }
    figures
}

fn figure(name: &str, about: &str, systems: &BTreeMap<System, Samples>) -> Figure {
    let ends = systems.values().flatten().flat_map(|&(least, greatest, _)| [least, greatest]);
    let x = Scale::log_around(ends);
    let columns: BTreeMap<System, [u64; COLUMNS]> =
        systems.iter().map(|(&system, samples)| (system, columns(&x, samples))).collect();
    let most = columns.values().flatten().copied().max().unwrap_or(1);
    let plot = Plot { frame: Frame::of_height(110.0), x, y: Scale::from_zero([most as f64]) };
    let width = (plot.frame.right - plot.frame.left) / COLUMNS as f64;
    let drawn: Vec<_> = columns
        .iter()
        .map(|(&system, counts)| {
            let mut outline = Path::default();
            outline.corner(plot.frame.left, plot.frame.bottom);
            for (at, &count) in counts.iter().enumerate() {
                let (left, y) = (plot.frame.left + width * at as f64, plot.at_y(count as f64));
                outline.corner(left, y);
                outline.corner(left + width, y);
            }
            outline.corner(plot.frame.right, plot.frame.bottom);
            (style_of(system), outline)
        })
        .collect();
    let ticks: Vec<(f64, String)> = plot.x.ticks(6).into_iter().map(|ns| (ns, time_text(ns))).collect();
    let mut table = empty(["system", "samples", "least", "median", "p95", "p99", "greatest"], &[0]);
    let mut marks = Vec::new();
    for (&system, samples) in systems {
        let figures = percentiles(samples);
        for (place, (word, value)) in ["p50", "p95", "p99"].into_iter().zip(&figures[1..4]).enumerate() {
            let mut line = Path::default();
            line.line((plot.at_x(*value), plot.frame.top), (plot.at_x(*value), plot.frame.bottom));
            marks.push((style_of(system), word, place, plot.at_x(*value), line));
        }
        let mut row = vec![system.to_string(), samples.iter().map(|of| of.2).sum::<u64>().to_string()];
        row.extend(figures.map(time_text));
        table.rows.push(row);
    }
    let single = systems.len() == 1;
    let content = html! {
        (plot.axes(&ticks, &plot.y.labelled(3), ["time", "samples"]))
        @for (style, outline) in &drawn { path class=(format!("area s{style}")) d=(outline.text()) {} }
        @for (style, word, place, x, line) in &marks {
            path class=(format!("percentile s{style}")) d=(line.text()) {}
            @if single { text class="tick long" x=(number(x + 3.0)) y=(number(plot.frame.top + 10.0 + 13.0 * *place as f64)) { (word) } }
        }
    };
    let described: Vec<String> =
        table.rows.iter().map(|row| format!("{}: median {}, p99 {}.", row[0], row[3], row[5])).collect();
    let listed: Vec<System> = systems.keys().copied().collect();
    Figure {
        name: name.to_owned(),
        drawing: drawing(plot.frame.drawing_height(), &format!("{name}. {}", described.join(" ")), &content),
        caption: html! { p { (about) } p class="legend" { (legend::systems(&listed)) } },
        data: Some(table),
    }
}

/// The samples by columns of the scale. A bucket counts where its middle is.
fn columns(x: &Scale, samples: &Samples) -> [u64; COLUMNS] {
    let mut columns = [0; COLUMNS];
    for &(least, greatest, count) in samples {
        let place = x.place(f64::midpoint(least, greatest)) * COLUMNS as f64;
        // Counted, not converted: a place that is no number is in the first column.
        let column = (1..COLUMNS).take_while(|&column| place >= column as f64).count();
        columns[column] += count;
    }
    columns
}

/// The least, the median, the 95th and 99th percentile, the greatest.
fn percentiles(samples: &Samples) -> [f64; 5] {
    let mut sorted = samples.clone();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    let total: u64 = sorted.iter().map(|of| of.2).sum();
    let at = |per_mille: u64| {
        let mut below = 0;
        let found = sorted.iter().find(|of| {
            below += of.2;
            below > total.saturating_mul(per_mille) / 1000
        });
        found.or(sorted.last()).map_or(0.0, |of| f64::midpoint(of.0, of.1))
    };
    let greatest = sorted.iter().map(|of| of.1).fold(0.0, f64::max);
    [sorted.first().map_or(0.0, |of| of.0), at(500), at(950), at(990), greatest]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_in_a_column_and_percentiles_are_those_of_the_samples() {
        let samples: Samples = (1..=1000).map(|at| (f64::from(at), f64::from(at), 1)).collect();
        let counted = columns(&Scale::log_around([1.0, 1000.0]), &samples);
        assert_eq!(counted.iter().sum::<u64>(), 1000);
        assert!(counted[COLUMNS - 4] > counted[5], "equal steps in the logarithm");
        assert_eq!(percentiles(&samples), [1.0, 501.0, 951.0, 991.0, 1000.0]);
    }
}
