//! The figures of a log: what `assay parse` prints of each row, if it was not refused.

use evidence::gate::PlatformRows;
use parquet::data_type::ByteArray;
use results::{CaseStats, Conclusion, MachineKey, Results, System};

use crate::cell::Rows;
use crate::tables::FigureRow;

/// Adds the figures of a row of a log; none if it was refused.
pub fn add_figures(results: &Results, row: usize, sha256: &ByteArray, to: &mut Rows) {
    if matches!(results.conclusion(), Conclusion::Refused(_)) {
        return;
    }
    let common = Common {
        sha256: sha256.clone(),
        row: i64::try_from(row).unwrap_or(i64::MAX),
        experiment: results.experiment.name.clone(),
        machine_id: MachineKey::of(results).machine_id(),
        results,
    };
    common.undisturbed(to);
    common.experienced(to);
    common.platform(to);
}

/// What all figures of a row have in common.
struct Common<'r> {
    sha256: ByteArray,
    row: i64,
    experiment: String,
    machine_id: String,
    results: &'r Results,
}

impl Common<'_> {
    fn figure(&self, system: System, metric: &str, unit: &'static str, n: usize, median: f64) -> FigureRow {
        FigureRow {
            log_sha256: self.sha256.clone(),
            row: self.row,
            boot_experiment: self.experiment.clone(),
            system: system.word(),
            machine_id: self.machine_id.clone(),
            work: String::new(),
            metric: metric.to_owned(),
            unit,
            better: if unit == "x" { "higher" } else { "lower" },
            workers: None,
            arg: None,
            cpu: None,
            peer: None,
            n: i64::try_from(n).unwrap_or(i64::MAX),
            median,
            low: None,
            high: None,
            p99: None,
            functional_only: false,
        }
    }

    /// Times and speed-ups of the cases, without what the host disturbed.
    fn undisturbed(&self, to: &mut Rows) {
        for case in &self.results.cases {
            let CaseStats { case: workers, nanos, speedup, functional_only, smt, .. } = &case.stats;
            let of_case = |figure: FigureRow| FigureRow {
                work: self.work(case.system, *workers),
                workers: Some(i64::from(*workers)),
                functional_only: functional_only.is_some(),
                ..figure
            };
            if let Some(nanos) = nanos {
                of_case(self.figure(case.system, "time", "ns", nanos.n, nanos.median)).add(to);
            }
            let speedup = speedup.as_ref().filter(|of| of.against != *workers && !smt);
            if let Some(speedup) = speedup {
                let metric = if self.results.experiment.is_weak() { "efficiency" } else { "speed-up" };
                let figure = self.figure(case.system, metric, "x", speedup.ratios.len(), speedup.median);
                let (low, high) = (speedup.interval.map(|of| of.low), speedup.interval.map(|of| of.high));
                of_case(FigureRow { low, high, ..figure }).add(to);
            }
        }
    }

    /// Times with nothing left out.
    fn experienced(&self, to: &mut Rows) {
        for case in &self.results.experienced {
            let Some(nanos) = &case.nanos else { continue };
            let of = self.figure(case.system, "time-experienced", "ns", nanos.n, nanos.median);
            let shown = self
                .results
                .cases
                .iter()
                .find(|row| (row.system, row.stats.case) == (case.system, case.case));
            FigureRow {
                work: self.work(case.system, case.case),
                workers: Some(case.case.into()),
                functional_only: shown.is_some_and(|row| row.stats.functional_only.is_some()),
                ..of
            }
            .add(to);
        }
    }

    /// The rows of the platform and of the mechanisms, of each boot that passed.
    fn platform(&self, to: &mut Rows) {
        for run in self.results.runs.iter().filter(|run| run.excluded.is_none()) {
            let Some(measured) = run.verdict.outcome.measurement() else { continue };
            let (work, functional_only) = (measured.identity().work, measured.functional_only().is_some());
            for series in measured.platform().into_iter().flat_map(|PlatformRows { series, .. }| series) {
                let Some(figures) = series.figures() else { continue };
                let samples = usize::try_from(figures.count).unwrap_or(usize::MAX);
                let of =
                    self.figure(run.system, series.place.row.word(), "ns", samples, figures.costs.median);
                FigureRow {
                    work: work.to_string(),
                    arg: i64::try_from(series.place.arg).ok(),
                    cpu: Some(series.place.cpu.into()),
                    peer: series.place.peer.map(i64::from),
                    p99: Some(figures.costs.p99),
                    functional_only,
                    ..of
                }
                .add(to);
            }
        }
    }

    /// The work of the first boot that has a case.
    fn work(&self, system: System, case: u16) -> String {
        let runs = self.results.runs.iter().filter(|run| run.system == system);
        let mut measured = runs.filter_map(|run| run.verdict.outcome.measurement());
        let of_case = measured.find(|of| of.samples().iter().any(|sample| sample.case == case));
        of_case.map(|of| of.identity().work.to_string()).unwrap_or_default()
    }
}
