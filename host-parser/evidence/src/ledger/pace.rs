//! The pace of the guest's CPUs: how often each could read its TSC in half a millisecond, just before and just after its
//! worker, with the same work between any two readings.
//!
//! Owns the rule that excludes an iteration if a CPU was slow just before or just after its worker although the host did
//! not take the CPU away: something shared its core, or its clock was lower. Neither the scheduler's account nor stolen
//! time shows that. The rule reads the pace checks only, in which every CPU does the same whatever its worker is, never
//! the time measured between them. If too few iterations of a boot remain, or the boot had only one, its round is
//! excluded.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use abi::pace::WINDOW_US;
use serde::{Deserialize, Serialize};

use super::checks::{Check, Kind, OfKind, Place, pace_limit, unbroken};
use crate::gate::{Exclusion, Measurement, ReasonCode, Scope, limits};

/// What the pace checks of a session showed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pace {
    /// How many checks there were: two for each worker of each iteration that can show speed.
    #[serde(rename = "looks")]
    pub checks: usize,
    /// In how many of them the CPU was slow.
    pub slow: usize,
    /// The largest part by which a check was below its baseline.
    pub worst: f64,
}

impl Pace {
    /// Combines the pace checks of several sessions.
    #[must_use]
    pub fn of_all(sessions: impl IntoIterator<Item = Self>) -> Option<Self> {
        sessions.into_iter().reduce(|one, other| Self {
            checks: one.checks + other.checks,
            slow: one.slow + other.slow,
            worst: one.worst.max(other.worst),
        })
    }
}

/// Whether enough of a boot's `all` iterations are `left`: at least half. Fewer would be a selection, of which a quartile
/// shows still less.
#[must_use]
pub fn enough_left(left: usize, all: usize) -> bool {
    (left as u64).saturating_mul(1_000) >= (all as u64).saturating_mul(limits::KEPT_PER_MILLE)
}

/// A run that can show speed.
#[derive(Clone, Debug)]
struct PacedRun {
    round: u32,
    /// How many iterations it had.
    iterations: usize,
    /// Iterations that its own evidence excludes.
    excluded: BTreeSet<u16>,
    /// Iterations with a slow check, and the index of the first.
    slow: BTreeMap<u16, usize>,
}

/// The rule, with what the checks have shown so far.
#[derive(Clone, Debug, Default)]
pub(super) struct PaceRule {
    kinds: Vec<(Kind, OfKind)>,
    by_kind: HashMap<Kind, usize>,
    checks: Vec<Check>,
    slow: usize,
    runs: Vec<PacedRun>,
    by_number: BTreeMap<u32, usize>,
    /// The rounds with a run that has too few iterations left.
    spoilt: BTreeSet<u32>,
}

impl PaceRule {
    /// Adds a run that can show speed.
    pub fn add(&mut self, number: u32, round: u32, measured: &Measurement) {
        let samples = measured.samples();
        let all: BTreeSet<u16> = samples.iter().map(|sample| sample.iteration).collect();
        let excluded = samples.iter().filter(|sample| sample.excluded.is_some());
        let excluded = excluded.map(|sample| sample.iteration).collect();
        let alone = measured.is_alone();
        let run = self.runs.len();
        self.by_number.insert(number, run);
        self.runs.push(PacedRun { round, iterations: all.len(), excluded, slow: BTreeMap::new() });
        let (system, build) = (measured.machine().system, measured.identity().build);
        let window = measured.clock().tsc.as_ref().map(|tsc| abi::tsc::cycles(WINDOW_US, tsc.khz));
        for sample in samples {
            for worker in &sample.workers {
                let [before, after] = worker.gaps;
                let both =
                    [(Place::Before, worker.reads_before, before), (Place::After, worker.reads_after, after)];
                for (place, reads, gap) in both.into_iter().filter(|&(_, reads, _)| reads > 0) {
                    let kind = self.kind(Kind { system, build, cpu: worker.cpu, place });
                    let (case, iteration, worker) = (sample.case, sample.iteration, worker.worker);
                    let unbroken = window.map_or(reads, |window| unbroken(reads, gap.0, window));
                    self.check(Check { kind, case, run, iteration, worker, reads, unbroken }, alone);
                }
            }
        }
    }

    fn kind(&mut self, kind: Kind) -> usize {
        *self.by_kind.entry(kind).or_insert_with(|| {
            self.kinds.push((kind, OfKind::default()));
            self.kinds.len() - 1
        })
    }

    /// Adds a check, and marks all checks that are slow now: this one, or earlier ones if it improved a baseline.
    fn check(&mut self, check: Check, alone: bool) {
        let (place, of_kind) = (self.checks.len(), &mut self.kinds[check.kind].1);
        let found = of_kind.add(alone, &check, place);
        self.checks.push(check);
        for check in found {
            self.found_slow(check);
        }
    }

    fn found_slow(&mut self, place: usize) {
        self.slow += 1;
        let Check { run: at, iteration, .. } = self.checks[place];
        let run = &mut self.runs[at];
        run.slow.entry(iteration).and_modify(|first| *first = place.min(*first)).or_insert(place);
        if !run.has_enough() {
            self.spoilt.insert(run.round);
        }
    }

    /// What the checks showed; `None` if there were none.
    pub fn pace(&self) -> Option<Pace> {
        let worst = self.kinds.iter().filter_map(|(_, of_kind)| of_kind.worst()).reduce(f64::max)?;
        Some(Pace { checks: self.checks.len(), slow: self.slow, worst })
    }

    /// The rounds with a run that has too few iterations left.
    pub fn rounds(&self) -> impl Iterator<Item = u32> {
        self.spoilt.iter().copied()
    }

    /// Whether a round has a run with too few iterations left.
    pub fn has_spoilt(&self, round: u32) -> bool {
        self.spoilt.contains(&round)
    }

    /// Whether a run has too few iterations left.
    pub fn is_spoilt(&self, number: u32) -> bool {
        self.by_number.get(&number).is_some_and(|&at| !self.runs[at].has_enough())
    }

    /// Why run `number` is excluded, if too few of its iterations are left.
    pub fn exclusion(&self, number: u32) -> Option<Exclusion> {
        let run = &self.runs[*self.by_number.get(&number)?];
        if run.has_enough() {
            return None;
        }
        let mut detail = self.words(*run.slow.values().next()?);
        if run.iterations > 1 {
            detail += &format!("; {} of its {} iterations are excluded", run.gone(), run.iterations);
        }
        let scope = Scope::Run { run: number };
        Some(Exclusion { reason: ReasonCode::CpuSlowed, scope, detail })
    }

    /// The iterations of a run with a slow check.
    pub fn iterations(&self, number: u32) -> Vec<Exclusion> {
        let Some(&at) = self.by_number.get(&number) else { return Vec::new() };
        let mut exclusions = Vec::new();
        for (&iteration, &check) in &self.runs[at].slow {
            let scope = Scope::Iteration { iteration, run: Some(number) };
            exclusions.push(Exclusion { reason: ReasonCode::CpuSlowed, scope, detail: self.words(check) });
        }
        exclusions
    }

    /// Compares a check with the baseline of the session so far.
    fn words(&self, check: usize) -> String {
        let Check { kind, case, run, iteration, worker, reads, unbroken } = &self.checks[check];
        let (Kind { cpu, place, .. }, of_kind) = &self.kinds[*kind];
        let place = match place {
            Place::Before => "before",
            Place::After => "after",
        };
        let limit = pace_limit(self.runs[*run].iterations == 1);
        // A gap of less than a hundredth of the window changes nothing that is worth a word.
        let is_broken = u64::from(*unbroken) * 100 > u64::from(*reads) * 101;
        let without_gap =
            if is_broken { format!(", {unbroken} without the longest gap,") } else { String::new() };
        format!(
            "just {place} worker {worker} of case {case} iteration {iteration}, CPU {cpu} was {:.0} % slower than its \
             baseline ({reads} TSC readings{without_gap} instead of {:.0}, limit {} %)",
            of_kind.short(*case, *unbroken) * 100.0,
            of_kind.baseline_reads(*case),
            limit / 10
        )
    }
}

impl PacedRun {
    /// How many iterations are excluded.
    fn gone(&self) -> usize {
        self.excluded.len() + self.slow.keys().filter(|slow| !self.excluded.contains(slow)).count()
    }

    fn has_enough(&self) -> bool {
        enough_left(self.iterations - self.gone(), self.iterations)
    }
}
