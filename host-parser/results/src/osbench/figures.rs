//! The figures of a session, in the order of the list.

use std::collections::BTreeMap;

use abi::series::SeriesRow;
use evidence::gate::{Costs, SeriesPlace, SeriesState};
use serde::Serialize;

use super::{Benchmark, Suite};
use crate::{Results, RunRecord, System};

/// A benchmark, and what a session measured of it.
#[derive(Clone, Debug, Serialize)]
pub struct BenchmarkFigures {
    /// The suite.
    pub suite: &'static str,
    /// Its name in it.
    pub name: &'static str,
    /// What it times.
    pub times: &'static str,
    /// `translated`, or `not_applicable`.
    pub state: &'static str,
    /// The rows that measure it; none if it is not applicable.
    pub rows: Vec<SeriesRow>,
    /// How the rows differ from it, or why there is none.
    pub note: &'static str,
    /// The figures, one entry for each row and argument that the session measured.
    pub figures: Vec<PlaceFigures>,
}

/// A row with an argument.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceFigures {
    /// The row.
    pub row: SeriesRow,
    /// Its argument.
    pub arg: u64,
    /// The systems that have a figure.
    pub systems: Vec<SystemFigure>,
}

/// A row on one system.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct SystemFigure {
    /// The system.
    pub system: System,
    /// The boots with a figure.
    pub boots: usize,
    /// What one operation takes, in ns: the median of the boots' medians.
    pub median_ns: f64,
    /// The least of all boots.
    pub min_ns: f64,
    /// The greatest of all boots.
    pub max_ns: f64,
}

/// What the runs of a session that count measured, by row and argument and then by system. Of a row that is measured on
/// several CPUs or pairs, that of the first.
type Measured = BTreeMap<(SeriesRow, u64), BTreeMap<System, Vec<Costs>>>;

/// Every benchmark of the list, with the figures of a session.
#[must_use]
pub fn figures(results: &Results) -> Vec<BenchmarkFigures> {
    let measured = measured(results);
    let of_suite = |suite: Suite| suite.benchmarks().iter().map(move |of| (suite, of));
    Suite::ALL.into_iter().flat_map(of_suite).map(|(suite, of)| benchmark(suite, of, &measured)).collect()
}

fn benchmark(suite: Suite, of: &Benchmark, measured: &Measured) -> BenchmarkFigures {
    let own = measured.iter().filter(|((row, arg), _)| of.mapping.has(*row, *arg));
    let figures = own.map(|(&(row, arg), systems)| {
        let systems = systems.iter().map(|(&system, boots)| system_figure(system, boots)).collect();
        PlaceFigures { row, arg, systems }
    });
    BenchmarkFigures {
        suite: suite.name(),
        name: of.name,
        times: of.times,
        state: of.mapping.word(),
        rows: of.mapping.rows(),
        note: of.note,
        figures: figures.collect(),
    }
}

fn measured(results: &Results) -> Measured {
    let mut measured = Measured::new();
    let counted = |run: &&RunRecord| run.excluded.is_none();
    for run in results.runs.iter().filter(counted) {
        let platform = run.verdict.outcome.measurement().and_then(|measured| measured.platform());
        let mut seen = Vec::new();
        for series in platform.into_iter().flat_map(|platform| &platform.series) {
            let SeriesPlace { row, arg, .. } = series.place;
            if let SeriesState::Passed { figures } = &series.state
                && !seen.contains(&(row, arg))
            {
                seen.push((row, arg));
                measured.entry((row, arg)).or_default().entry(run.system).or_default().push(figures.costs);
            }
        }
    }
    measured
}

fn system_figure(system: System, boots: &[Costs]) -> SystemFigure {
    let mut medians: Vec<f64> = boots.iter().map(|costs| costs.median).collect();
    medians.sort_by(f64::total_cmp);
    let middle = |place: usize| medians.get(place).copied().unwrap_or_default();
    let last = medians.len().saturating_sub(1);
    SystemFigure {
        system,
        boots: boots.len(),
        median_ns: f64::midpoint(middle(last / 2), middle(medians.len() / 2)),
        min_ns: boots.iter().map(|costs| costs.min).fold(f64::INFINITY, f64::min),
        max_ns: boots.iter().map(|costs| costs.max).fold(0.0, f64::max),
    }
}
