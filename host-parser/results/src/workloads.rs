//! Workloads side by side: what each did on each system, and never a sum or a mean over them.
//!
//! Owns the rows of the table that `assay workloads` prints. A workload's figures come from its own session; a ratio to
//! Linux exists only if the session shows that both did the same work in the same envelope.

use std::collections::BTreeMap;

use serde::Serialize;
use stats::PairedRatio;

use crate::{Conclusion, Pairing, Results, RunRecord, Series, System};

/// A workload of a set.
#[derive(Clone, Debug, Serialize)]
pub struct WorkloadFigures {
    /// The experiment.
    pub name: String,
    /// What its work counts, as a plural.
    pub unit: String,
    /// `measured`, or why there is no figure: the code of a reason, or `not run`.
    pub status: String,
    /// The systems that were measured.
    pub systems: Vec<SystemFigures>,
    /// Whether each worker of a case does the whole.
    pub weak: bool,
}

/// A workload on one system.
#[derive(Clone, Debug, Serialize)]
pub struct SystemFigures {
    /// The system.
    pub system: System,
    /// Its cases, from the smallest on.
    pub cases: Vec<CaseFigures>,
    /// Linux's time divided by this system's in the smallest case, by rounds: above 1 if this system is faster. None for
    /// Linux itself, without Linux, and if the rows may not be compared.
    pub to_linux: Option<PairedRatio>,
}

/// One case of a workload on one system.
#[derive(Clone, Debug, Serialize)]
pub struct CaseFigures {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// Work a second, of all workers together, by the median of the rounds that count, or if there are none of all that
    /// were made; none if the frequency is unknown.
    pub rate: Option<f64>,
    /// The smallest case's time divided by its own, undisturbed: the speed-up, or in weak scaling the efficiency.
    pub speedup: Option<f64>,
    /// The same as experienced.
    pub experienced: Option<f64>,
    /// Whether a round counts.
    pub undisturbed: bool,
    /// Whether it shows function only: there were more CPUs than the host has.
    pub functional_only: bool,
}

impl WorkloadFigures {
    /// The figures of a session whose every case does `work`, counted in `unit`; in weak scaling each of its workers does.
    #[must_use]
    pub fn of(results: &Results, work: u64, unit: &str) -> Self {
        let status = match results.conclusion() {
            Conclusion::Refused(reason) => reason.code(),
            _ => "measured",
        };
        let weak = results.experiment.is_weak();
        let copies = |case: u16| if weak { f64::from(case) } else { 1.0 };
        let mut systems: BTreeMap<System, Vec<CaseFigures>> = BTreeMap::new();
        // Every case that counts has also been experienced.
        for made in &results.experienced {
            let mut rows = results.cases.iter();
            let counted = rows.find(|row| (row.system, row.stats.case) == (made.system, made.case));
            let counted = counted.map(|row| &row.stats);
            let lasted = counted.map_or(made.nanos.as_ref(), |stats| stats.nanos.as_ref());
            systems.entry(made.system).or_default().push(CaseFigures {
                case: made.case,
                rate: lasted.map(|nanos| work as f64 * copies(made.case) * 1e9 / nanos.median),
                speedup: counted.and_then(|stats| Some(stats.speedup.as_ref()?.median)),
                experienced: made.speedup.as_ref().map(|speedup| speedup.median),
                undisturbed: counted.is_some(),
                functional_only: counted.is_some_and(|stats| stats.functional_only.is_some()),
            });
        }
        let figures = |(system, cases): (System, Vec<CaseFigures>)| {
            let to_linux = cases.first().and_then(|smallest| to_linux(results, system, smallest.case));
            SystemFigures { system, cases, to_linux }
        };
        Self {
            name: results.experiment.name.clone(),
            unit: unit.to_owned(),
            status: status.to_owned(),
            systems: systems.into_iter().map(figures).collect(),
            weak,
        }
    }

    /// A workload that was not run, and why.
    #[must_use]
    pub fn not_run(name: &str, unit: &str, why: &str) -> Self {
        let [name, unit, status] = [name, unit, why].map(str::to_owned);
        Self { name, unit, status, systems: Vec::new(), weak: false }
    }
}

/// Linux's time of a case divided by a system's, by rounds, if the rows may be compared.
fn to_linux(results: &Results, system: System, case: u16) -> Option<PairedRatio> {
    let comparable = results.comparison.as_ref().is_some_and(|comparison| comparison.comparable);
    if system == System::Linux || !comparable {
        return None;
    }
    let times = |of: System| series(results.experiment.pairing, &results.runs, of).lower_quartiles(case);
    PairedRatio::of(&times(System::Linux), &times(system))
}

/// The samples of a system in the runs that count.
fn series(pairing: Pairing, runs: &[RunRecord], system: System) -> Series {
    let counted = runs.iter().filter(|run| run.system == system && run.excluded.is_none());
    Series::new(pairing, counted.filter_map(|run| Some((run.round, run.verdict.outcome.measurement()?))))
}
