//! The pace of the guest's CPUs: how often each could read its TSC in the half milliseconds just before and just after its
//! worker.
//!
//! Owns the rule by which a round counts for nothing because a CPU was slow without being taken away: something shared
//! its core, or it was clocked lower. Nobody else sees that: the scheduler's account and stolen time know only of CPUs
//! that are taken away, and the native probe runs at another time. The rule looks at those half milliseconds alone, in
//! which every CPU does the same whatever its worker is, never at what was measured between them.

use std::collections::BTreeMap;

use super::experiment::RunRecord;
use crate::gate::{Measurement, ReasonCode, WorkerSample, limits};

/// What paces are compared within: the same code on the same CPU beside as many others, at the same edge of the worker.
#[derive(Clone, Eq, Ord, PartialEq, PartialOrd)]
struct Kind<'a> {
    system: &'a str,
    build: &'a str,
    case: u16,
    cpu: u16,
    edge: Edge,
}

#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Edge {
    Before,
    After,
}

impl Edge {
    const BOTH: [Self; 2] = [Self::Before, Self::After];

    fn of(self, worker: &WorkerSample) -> u32 {
        match self {
            Self::Before => worker.reads_before,
            Self::After => worker.reads_after,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::After => "after",
        }
    }
}

/// A CPU's pace at one edge of its worker.
struct Pace<'a> {
    run: &'a RunRecord,
    kind: Kind<'a>,
    worker: u16,
    reads: u32,
}

/// The rounds in which a CPU was slow beside its worker, each with what it showed.
///
/// What is quick is the second-highest pace of its kind in the session so far: as with the probes a later one can tell
/// that an earlier one was slow, never that it was not.
pub(super) fn slow_rounds(runs: &[RunRecord]) -> BTreeMap<u32, String> {
    let paces: Vec<Pace<'_>> = runs.iter().flat_map(of_run).collect();
    let mut by_kind: BTreeMap<&Kind<'_>, Vec<u32>> = BTreeMap::new();
    for pace in &paces {
        by_kind.entry(&pace.kind).or_default().push(pace.reads);
    }
    let quick = |mut reads: Vec<u32>| {
        reads.sort_unstable();
        reads.iter().rev().nth(1).or(reads.last()).copied()
    };
    let quick: BTreeMap<&Kind<'_>, u32> =
        by_kind.into_iter().filter_map(|(kind, reads)| Some((kind, quick(reads)?))).collect();
    let mut rounds = BTreeMap::new();
    for pace in &paces {
        let quick = quick.get(&pace.kind).copied().unwrap_or(0);
        let short = u64::from(quick.saturating_sub(pace.reads));
        if short * 1_000 > u64::from(quick) * limits::PACE_PER_MILLE {
            rounds.entry(pace.run.round).or_insert_with(|| pace.tell(short, quick));
        }
    }
    rounds
}

impl Pace<'_> {
    fn tell(&self, short: u64, quick: u32) -> String {
        let Kind { case, cpu, edge, .. } = self.kind;
        format!(
            "{} in run {}: just {} worker {} of case {case} CPU {cpu} read its TSC {} % less often than at its quick \
             times ({} to {quick})",
            ReasonCode::CpuSlowed,
            self.run.run,
            edge.word(),
            self.worker,
            short * 100 / u64::from(quick.max(1)),
            self.reads
        )
    }
}

/// The paces of a run that is held to speed. The iterations of a sweep have a machine of their own to be compared in.
fn of_run(run: &RunRecord) -> Vec<Pace<'_>> {
    let measured = run.verdict.outcome.measurement();
    let held = |measured: &&Measurement| run.functional_only.is_none() && measured.sweep().is_none();
    let Some(measured) = measured.filter(held) else { return Vec::new() };
    let (system, build) = (measured.machine().system.as_str(), measured.identity().build.as_str());
    let mut paces = Vec::new();
    for sample in measured.samples() {
        for worker in &sample.workers {
            let (case, cpu) = (sample.case, worker.cpu);
            paces.extend(Edge::BOTH.map(|edge| Pace {
                run,
                kind: Kind { system, build, case, cpu, edge },
                worker: worker.worker,
                reads: edge.of(worker),
            }));
        }
    }
    paces
}
