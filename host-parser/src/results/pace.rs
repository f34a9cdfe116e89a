//! The pace of the guest's CPUs: how often each could read its TSC in the half millisecond just after its worker.
//!
//! Owns the rule by which a round counts for nothing because a CPU was slow without being taken away: something shared
//! its core, or it was clocked lower. The scheduler's account and stolen time do not know of that. The rule looks at that
//! half millisecond alone, in which every CPU does the same whatever its worker is, never at what was measured before it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::experiment::RunRecord;
use super::quick::quick;
use crate::gate::{Measurement, ReasonCode, limits};

/// What the looks at the CPUs of a session showed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pace {
    /// How many looks there were: one for each worker of each run that is held to speed.
    pub looks: usize,
    /// In how many of them the CPU was slow.
    pub slow: usize,
    /// By what part it was below its quick times at worst.
    pub worst: f64,
}

/// What paces are compared within: the same code on the same CPU beside as many others.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Kind<'a> {
    system: &'a str,
    build: &'a str,
    case: u16,
    cpu: u16,
}

/// One look.
struct Look<'a> {
    run: &'a RunRecord,
    kind: Kind<'a>,
    worker: u16,
    reads: u32,
    /// How many readings there are at the CPU's quick times.
    quick: f64,
}

impl Pace {
    /// What `runs` showed, each CPU held against its own quick times; none where there was no look.
    #[must_use]
    pub fn of(runs: &[RunRecord]) -> Option<Self> {
        let looks = looks(runs);
        let slow = looks.iter().filter(|look| look.is_slow()).count();
        let worst = looks.iter().map(Look::short).reduce(f64::max)?;
        Some(Self { looks: looks.len(), slow, worst })
    }

    /// That of several sessions together.
    #[must_use]
    pub fn of_all(sessions: impl IntoIterator<Item = Self>) -> Option<Self> {
        sessions.into_iter().reduce(|one, other| Self {
            looks: one.looks + other.looks,
            slow: one.slow + other.slow,
            worst: one.worst.max(other.worst),
        })
    }
}

/// The rounds in which a CPU was slow, each with what it showed. The iterations of a sweep share a boot, and are not held
/// to it.
pub(super) fn slow_rounds(runs: &[RunRecord]) -> BTreeMap<u32, String> {
    let mut rounds = BTreeMap::new();
    for look in looks(runs).iter().filter(|look| look.is_slow() && !is_sweep(look.run)) {
        rounds.entry(look.run.round).or_insert_with(|| look.tell());
    }
    rounds
}

impl Look<'_> {
    /// By what part the CPU was below its quick times.
    fn short(&self) -> f64 {
        (1.0 - f64::from(self.reads) / self.quick).max(0.0)
    }

    fn is_slow(&self) -> bool {
        self.short() * 1e3 > limits::PACE_PER_MILLE as f64
    }

    fn tell(&self) -> String {
        let Kind { case, cpu, .. } = self.kind;
        format!(
            "{} in run {}: just after worker {} of case {case} CPU {cpu} read its TSC {:.0} % less often than at its \
             quick times ({} to {:.0})",
            ReasonCode::CpuSlowed,
            self.run.run,
            self.worker,
            self.short() * 100.0,
            self.reads,
            self.quick
        )
    }
}

/// All looks at the CPUs of runs that are held to speed.
fn looks(runs: &[RunRecord]) -> Vec<Look<'_>> {
    let mut looks: Vec<Look<'_>> = runs.iter().flat_map(of_run).collect();
    let mut by_kind: BTreeMap<Kind<'_>, Vec<f64>> = BTreeMap::new();
    for look in &looks {
        // What a reading took is a time, of which the quick ones are known how to find.
        by_kind.entry(look.kind).or_default().push(1.0 / f64::from(look.reads));
    }
    let quick: BTreeMap<Kind<'_>, f64> =
        by_kind.into_iter().filter_map(|(kind, times)| Some((kind, 1.0 / quick(times)?))).collect();
    for look in &mut looks {
        look.quick = quick.get(&look.kind).copied().unwrap_or(look.quick);
    }
    looks
}

fn of_run(run: &RunRecord) -> Vec<Look<'_>> {
    let held = |_: &&Measurement| run.functional_only.is_none();
    let Some(measured) = run.verdict.outcome.measurement().filter(held) else { return Vec::new() };
    let (system, build) = (measured.machine().system.as_str(), measured.identity().build.as_str());
    let samples = measured.samples().iter();
    let workers = samples.flat_map(|sample| sample.workers.iter().map(|worker| (sample.case, worker)));
    workers
        .filter(|(_, worker)| worker.reads_after > 0)
        .map(|(case, worker)| Look {
            run,
            kind: Kind { system, build, case, cpu: worker.cpu },
            worker: worker.worker,
            reads: worker.reads_after,
            quick: f64::from(worker.reads_after),
        })
        .collect()
}

fn is_sweep(run: &RunRecord) -> bool {
    run.verdict.outcome.measurement().is_some_and(|measured| measured.sweep().is_some())
}
