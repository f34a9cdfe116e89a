//! The workers of each round, from their common start on: when each started and ended, who was last, and what the host took.

use std::collections::BTreeSet;

use evidence::gate::{Measurement, Sample};
use maud::html;
use report::Table;
use results::{Results, RunRecord, System};

use super::Figure;
use super::legend::style_of;
use super::session::{stolen, waited, why};
use crate::svg::{Frame, Path, Plot, Scale, drawing, number};
use crate::table::empty;

/// The most iterations in one figure. If there are more, it has the slowest ones, the excluded ones and some of the rest.
const SHOWN: usize = 24;

/// An iteration whose workers' times are known.
struct Row<'r> {
    run: &'r RunRecord,
    sample: &'r Sample,
    khz: u64,
}

/// A figure for each system and case that has a time of its workers.
pub fn timelines(results: &Results) -> Vec<Figure> {
    let mut rows: Vec<Row<'_>> = Vec::new();
    for run in &results.runs {
        let Some(measured) = run.verdict.outcome.measurement() else { continue };
        let Some(khz) = khz(measured) else { continue };
        rows.extend(measured.samples().iter().map(|sample| Row { run, sample, khz }));
    }
    let keys: BTreeSet<(System, u16)> = rows.iter().map(|row| (row.run.system, row.sample.case)).collect();
    let several = keys.iter().map(|(system, _)| system).collect::<BTreeSet<_>>().len() > 1;
    let of_key = |&(system, case): &(System, u16)| {
        let mine: Vec<&Row<'_>> =
            rows.iter().filter(|row| (row.run.system, row.sample.case) == (system, case)).collect();
        figure(&mine, system, case, several)
    };
    keys.iter().map(of_key).collect()
}

fn khz(measured: &Measurement) -> Option<u64> {
    measured.clock().tsc.as_ref().map(|tsc| tsc.khz).filter(|&khz| khz > 0)
}

impl Row<'_> {
    fn millis(&self, cycles: u64) -> f64 {
        cycles as f64 / self.khz as f64
    }

    /// The start and the end of each worker, in ms since the common start.
    fn spans(&self) -> Vec<(f64, f64)> {
        let span = |skew: u64, cycles: u64| (self.millis(skew), self.millis(skew.saturating_add(cycles)));
        self.sample.workers.iter().map(|worker| span(worker.skew.0, worker.cycles.0)).collect()
    }

    /// The number of the worker that ended last, and how long after the first one to end, in ms.
    fn last(&self) -> Option<(usize, f64)> {
        let spans = self.spans();
        let last = (0..spans.len()).max_by(|&a, &b| spans[a].1.total_cmp(&spans[b].1))?;
        let first = spans.iter().map(|(_, end)| *end).fold(f64::INFINITY, f64::min);
        Some((last, spans[last].1 - first))
    }

    fn excluded(&self) -> Option<&'static str> {
        let of_sample = || self.sample.excluded.as_deref().map(|exclusion| exclusion.reason.code());
        if self.run.excluded.is_some() { Some(why(self.run)) } else { of_sample() }
    }

    fn name(&self, iterations: bool) -> String {
        let round = self.run.round + 1;
        if iterations { format!("{round}.{}", self.sample.iteration + 1) } else { format!("round {round}") }
    }
}

/// Which rows are shown, in their order: all, or the slowest, the excluded ones and evenly spaced ones.
fn chosen(rows: &[&Row<'_>]) -> Vec<usize> {
    if rows.len() <= SHOWN {
        return (0..rows.len()).collect();
    }
    let mut by_time: Vec<usize> = (0..rows.len()).collect();
    by_time.sort_by_key(|&at| std::cmp::Reverse(rows[at].sample.makespan().0));
    let mut chosen: BTreeSet<usize> = by_time.into_iter().take(SHOWN / 4).collect();
    chosen.extend((0..rows.len()).filter(|&at| rows[at].excluded().is_some()).take(SHOWN / 4));
    let rest = SHOWN - chosen.len();
    chosen.extend((0..rest).map(|at| at * rows.len() / rest));
    chosen.into_iter().collect()
}

fn figure(rows: &[&Row<'_>], system: System, case: u16, several: bool) -> Figure {
    let shown: Vec<&Row<'_>> = chosen(rows).into_iter().map(|at| rows[at]).collect();
    let iterations = rows.iter().any(|row| row.sample.iteration > 0);
    let lanes = f64::from(case.max(1));
    // A thin worker must still be seen, and a row must have room for its name.
    let lane = (11.0 / lanes).clamp(1.5, 5.0);
    let height = (lane * lanes + 4.0).max(15.0);
    let frame =
        Frame { left: 70.0, right: 326.0, top: 24.0, bottom: 24.0 + height * shown.len() as f64 + 3.0 };
    let plot = Plot {
        frame,
        x: Scale::from_zero(shown.iter().flat_map(|row| row.spans()).map(|(_, end)| end)),
        y: Scale::Linear { low: 0.0, high: 1.0 },
    };
    let [mut workers, mut last, mut hollow] = [Path::default(), Path::default(), Path::default()];
    let mut labels = Vec::new();
    for (number_of, row) in shown.iter().enumerate() {
        let top = frame.top + 3.0 + height * number_of as f64;
        let of_last = row.last().map(|(worker, _)| worker);
        for (worker, (start, end)) in row.spans().into_iter().enumerate() {
            let y = top + lane * (worker as f64 + 0.5);
            let path = match (row.excluded(), of_last == Some(worker) && case > 1) {
                (Some(_), _) => &mut hollow,
                (None, true) => &mut last,
                (None, false) => &mut workers,
            };
            path.bar(plot.at_x(start), plot.at_x(end), y);
        }
        labels.push((top + height / 2.0 + 2.5, *row));
    }
    let stroke = number((lane - 0.5).max(1.0));
    let style = style_of(system);
    let content = html! {
        (plot.axes(&plot.x.labelled(5), &[], ["ms since the common start", ""]))
        text class="name long" x="334" y="14" { "last" }
        text class="name long" x="516" y="14" text-anchor="end" { "waited / stolen" }
        path class=(format!("bars s{style}")) stroke-width=(stroke) d=(workers.text()) {}
        path class="bars last" stroke-width=(stroke) d=(last.text()) {}
        path class="bars out" stroke-width=(stroke) d=(hollow.text()) {}
        @for (y, row) in &labels {
            text class="tick long" x="64" y=(number(*y)) text-anchor="end" { (row.name(iterations)) }
            text class="tick long" x="334" y=(number(*y)) { (last_text(row, case)) }
            text class="tick long" x="516" y=(number(*y)) text-anchor="end" { (taken(row)) }
        }
    };
    let workers = if case == 1 { "1 worker".to_owned() } else { format!("{case} workers") };
    let of = if several { format!(", {system}") } else { String::new() };
    let name = format!("Timeline, {workers}{of}");
    let description = format!(
        "When each of {workers} started and ended in {} of {} iterations{of}.",
        shown.len(),
        rows.len()
    );
    Figure {
        name,
        drawing: drawing(frame.drawing_height(), &description, &content),
        caption: html! {
            p {
                "Each line is a worker. "
                @if case > 1 { "Darker: the worker that ended last, and how long after the first to end. " }
                "Dashed: excluded. At the right: the part of its time that the run's vCPUs waited for a host CPU, and the part "
                "that the hypervisor under the host took."
                @if shown.len() < rows.len() {
                    " Shown: the slowest, the excluded ones, and some of the rest, " (shown.len()) " of " (rows.len())
                    " iterations; " code { "assay trace" } " has all."
                }
            }
        },
        data: Some(table(&shown, iterations)),
    }
}

fn last_text(row: &Row<'_>, case: u16) -> String {
    match row.last().filter(|_| case > 1) {
        Some((worker, after)) => format!("w{worker} +{after:.2}"),
        None => String::new(),
    }
}

/// What the host took while the run ran.
fn taken(row: &Row<'_>) -> String {
    let percent = |of: Option<f64>| of.map_or("-".to_owned(), |of| format!("{of:.1}"));
    match row.excluded() {
        Some(reason) => reason.to_owned(),
        None => format!("{} / {} %", percent(waited(row.run)), percent(stolen(row.run))),
    }
}

/// One row for each iteration that is drawn.
fn table(rows: &[&Row<'_>], iterations: bool) -> Table {
    let header = [
        "round",
        "run",
        "start spread us",
        "last worker",
        "after first ms",
        "waited %",
        "stolen %",
        "excluded for",
    ];
    let mut table = empty(header, &[0, 7]);
    let percent = |of: Option<f64>| of.map_or("-".to_owned(), |of| format!("{of:.2}"));
    for row in rows {
        let last = row.last();
        table.rows.push(vec![
            row.name(iterations),
            row.run.run.to_string(),
            format!("{:.1}", row.millis(row.sample.start_spread().0) * 1e3),
            last.map_or("-".to_owned(), |(worker, _)| worker.to_string()),
            last.map_or("-".to_owned(), |(_, after)| format!("{after:.3}")),
            percent(waited(row.run)),
            percent(stolen(row.run)),
            row.excluded().unwrap_or("-").to_owned(),
        ]);
    }
    table
}
