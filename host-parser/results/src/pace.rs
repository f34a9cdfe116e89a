//! The pace of the guest's CPUs: how often each could read its TSC, with the same work between any two readings, in the half
//! millisecond just before its worker and in that just after.
//!
//! Owns the rule by which an iteration counts for nothing because a CPU was slow without being taken away: something
//! shared its core, or it was clocked lower. The scheduler's account and stolen time do not know of that. The rule looks at
//! those half milliseconds alone, in which every CPU does the same whatever its worker is, never at what was measured
//! between them. A boot of a single iteration goes with it, and so does one of which too little is left; with the boot, its
//! round.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::run_record::RunRecord;
use evidence::baseline::quick;
use evidence::gate::{Measurement, ReasonCode, limits};

/// What the looks at the CPUs of a session showed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pace {
    /// How many looks there were: two for each worker of each iteration that is held to speed.
    pub looks: usize,
    /// In how many of them the CPU was slow.
    pub slow: usize,
    /// By what part it was below its quick times at worst.
    pub worst: f64,
}

/// Which side of a worker a look was on.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
enum Place {
    Before,
    After,
}

/// What paces are compared within: the same code on the same CPU beside as many others.
#[derive(Clone, Copy, Eq, Ord, PartialEq, PartialOrd)]
struct Kind<'a> {
    system: &'a str,
    build: &'a str,
    case: u16,
    cpu: u16,
    place: Place,
}

/// One look.
struct Look<'a> {
    /// Which of the runs it is of.
    run: usize,
    kind: Kind<'a>,
    /// Whether its boot has no other iteration to take this one's place.
    alone: bool,
    iteration: u16,
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

/// The rounds of runs of which too many iterations are gone, each with what the first slow CPU showed.
pub(super) fn slow_rounds(runs: &[RunRecord]) -> BTreeMap<u32, String> {
    let mut rounds = BTreeMap::new();
    for (place, slow) in slow(runs) {
        let (run, measured) = (&runs[place], runs[place].verdict.outcome.measurement());
        let samples = measured.map(Measurement::samples).unwrap_or_default();
        let all: BTreeSet<u16> = samples.iter().map(|sample| sample.iteration).collect();
        let disturbed = samples.iter().filter(|sample| sample.set_aside.is_some());
        let mut gone: BTreeSet<u16> = disturbed.map(|sample| sample.iteration).collect();
        gone.extend(slow.keys());
        let enough = are_enough(all.len() - gone.len(), all.len());
        let Some(why) = slow.into_values().next().filter(|_| !enough) else { continue };
        let why = if all.len() == 1 {
            why
        } else {
            format!("{why}; so {} of its {} iterations are gone", gone.len(), all.len())
        };
        rounds.entry(run.round).or_insert(why);
    }
    rounds
}

/// Whether so many iterations are enough of a boot that had `all`. Which of them are left is not chosen by their times, so
/// that it takes no more than a quartile does.
pub(crate) fn are_enough(left: usize, all: usize) -> bool {
    left >= all.div_ceil(2).min(limits::LEAST_ITERATIONS)
}

/// Sets the iterations aside in which a CPU was slow, where their boot has others; a lone one's round is set aside.
pub(super) fn mark(runs: &mut [RunRecord]) {
    for (place, slow) in slow(runs) {
        let Some(measured) = runs[place].verdict.outcome.measurement_mut() else { continue };
        if is_alone(measured) {
            continue;
        }
        slow.into_iter().for_each(|(iteration, why)| measured.set_aside(iteration, &why));
    }
}

/// The iterations in which a CPU was slow, each with what the first showed, by the runs' places.
fn slow(runs: &[RunRecord]) -> BTreeMap<usize, BTreeMap<u16, String>> {
    let mut slow: BTreeMap<usize, BTreeMap<u16, String>> = BTreeMap::new();
    for look in looks(runs).iter().filter(|look| look.is_slow()) {
        let of_run = slow.entry(look.run).or_default();
        of_run.entry(look.iteration).or_insert_with(|| look.tell(&runs[look.run]));
    }
    slow
}

impl Look<'_> {
    /// By what part the CPU was below its quick times.
    fn short(&self) -> f64 {
        (1.0 - f64::from(self.reads) / self.quick).max(0.0)
    }

    fn is_slow(&self) -> bool {
        let limit = if self.alone { limits::PACE_ALONE_PER_MILLE } else { limits::PACE_PER_MILLE };
        self.short() * 1e3 > limit as f64
    }

    fn tell(&self, run: &RunRecord) -> String {
        let Kind { case, cpu, place, .. } = self.kind;
        let place = match place {
            Place::Before => "before",
            Place::After => "after",
        };
        format!(
            "{} in run {}: just {place} worker {} of case {case} iteration {} CPU {cpu} was {:.0} % slower than at its \
             quick times ({} readings of its TSC, and {:.0})",
            ReasonCode::CpuSlowed,
            run.run,
            self.worker,
            self.iteration,
            self.short() * 100.0,
            self.reads,
            self.quick
        )
    }
}

/// All looks at the CPUs of runs that are held to speed.
fn looks(runs: &[RunRecord]) -> Vec<Look<'_>> {
    let mut looks: Vec<Look<'_>> = runs.iter().enumerate().flat_map(|(at, run)| of_run(at, run)).collect();
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

/// Whether a boot ran its cases once.
fn is_alone(measured: &Measurement) -> bool {
    measured.samples().iter().all(|sample| sample.iteration == 0)
}

fn of_run(at: usize, run: &RunRecord) -> Vec<Look<'_>> {
    let held = |_: &&Measurement| run.functional_only.is_none();
    let Some(measured) = run.verdict.outcome.measurement().filter(held) else { return Vec::new() };
    let (system, build) = (measured.machine().system.as_str(), measured.identity().build.as_str());
    let alone = is_alone(measured);
    let mut looks = Vec::new();
    for sample in measured.samples() {
        for worker in &sample.workers {
            let both = [(Place::Before, worker.reads_before), (Place::After, worker.reads_after)];
            looks.extend(both.into_iter().filter(|&(_, reads)| reads > 0).map(|(place, reads)| Look {
                run: at,
                kind: Kind { system, build, case: sample.case, cpu: worker.cpu, place },
                alone,
                iteration: sample.iteration,
                worker: worker.worker,
                reads,
                quick: f64::from(reads),
            }));
        }
    }
    looks
}
