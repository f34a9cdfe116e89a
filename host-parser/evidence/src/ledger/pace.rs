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

/// A run that can show speed. A log may have hundreds of thousands, and nearly none has anything to exclude.
#[derive(Clone, Debug)]
struct PacedRun {
    round: u32,
    /// How many iterations it had.
    iterations: u32,
    /// Its iterations that may not count; `None` if all do.
    without: Option<Box<Without>>,
}

/// The iterations of a run that do not count.
#[derive(Clone, Debug, Default)]
struct Without {
    /// Those that its own evidence excludes.
    excluded: BTreeSet<u16>,
    /// Those with a slow check, and the index of the first.
    slow: BTreeMap<u16, u32>,
}

/// The rule, with what the checks have shown so far.
#[derive(Clone, Debug, Default)]
pub(super) struct PaceRule {
    kinds: Vec<(Kind, OfKind)>,
    by_kind: HashMap<Kind, u32>,
    checks: Vec<Check>,
    slow: usize,
    runs: Vec<PacedRun>,
    by_number: BTreeMap<u32, u32>,
    /// The rounds with a run that has too few iterations left.
    spoilt: BTreeSet<u32>,
}

impl PaceRule {
    /// Adds a run that can show speed.
    pub fn add(&mut self, number: u32, round: u32, measured: &Measurement) {
        let samples = measured.samples();
        let alone = measured.is_alone();
        let run = index(self.runs.len());
        self.by_number.insert(number, run);
        self.runs.push(PacedRun::of(round, measured));
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

    fn kind(&mut self, kind: Kind) -> u32 {
        *self.by_kind.entry(kind).or_insert_with(|| {
            self.kinds.push((kind, OfKind::default()));
            index(self.kinds.len() - 1)
        })
    }

    /// Adds a check, and marks all checks that are slow now: this one, or earlier ones if it improved a baseline.
    fn check(&mut self, check: Check, alone: bool) {
        let (place, of_kind) = (index(self.checks.len()), &mut self.kinds[check.kind as usize].1);
        let found = of_kind.add(alone, &check, place);
        self.checks.push(check);
        for check in found {
            self.found_slow(check);
        }
    }

    fn found_slow(&mut self, place: u32) {
        self.slow += 1;
        let Check { run: at, iteration, .. } = self.checks[place as usize];
        let run = &mut self.runs[at as usize];
        let without = run.without.get_or_insert_default();
        without.slow.entry(iteration).and_modify(|first| *first = place.min(*first)).or_insert(place);
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
        self.by_number.get(&number).is_some_and(|&at| !self.runs[at as usize].has_enough())
    }

    /// Why run `number` is excluded, if too few of its iterations are left.
    pub fn exclusion(&self, number: u32) -> Option<Exclusion> {
        let run = &self.runs[*self.by_number.get(&number)? as usize];
        if run.has_enough() {
            return None;
        }
        let mut detail = self.words(*run.without.as_ref()?.slow.values().next()?);
        if run.iterations > 1 {
            detail += &format!("; {} of its {} iterations are excluded", run.gone(), run.iterations);
        }
        let scope = Scope::Run { run: number };
        Some(Exclusion { reason: ReasonCode::CpuSlowed, scope, detail })
    }

    /// The iterations of a run with a slow check.
    pub fn iterations(&self, number: u32) -> Vec<Exclusion> {
        let run = self.by_number.get(&number).map(|&at| &self.runs[at as usize]);
        let Some(without) = run.and_then(|run| run.without.as_ref()) else { return Vec::new() };
        let mut exclusions = Vec::new();
        for (&iteration, &check) in &without.slow {
            let scope = Scope::Iteration { iteration, run: Some(number) };
            exclusions.push(Exclusion { reason: ReasonCode::CpuSlowed, scope, detail: self.words(check) });
        }
        exclusions
    }

    /// Compares a check with the baseline of the session so far.
    fn words(&self, check: u32) -> String {
        let Check { kind, case, run, iteration, worker, reads, unbroken } = &self.checks[check as usize];
        let (Kind { cpu, place, .. }, of_kind) = &self.kinds[*kind as usize];
        let place = match place {
            Place::Before => "before",
            Place::After => "after",
        };
        let limit = pace_limit(self.runs[*run as usize].iterations == 1);
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
    fn of(round: u32, measured: &Measurement) -> Self {
        let samples = measured.samples();
        let excluded = samples.iter().filter(|sample| sample.excluded.is_some());
        let excluded: BTreeSet<u16> = excluded.map(|sample| sample.iteration).collect();
        let iterations = match samples {
            [_] => 1,
            _ => index(samples.iter().map(|sample| sample.iteration).collect::<BTreeSet<_>>().len()),
        };
        let without = Without { excluded, slow: BTreeMap::new() };
        Self { round, iterations, without: Some(without).filter(|it| !it.excluded.is_empty()).map(Box::new) }
    }

    /// How many iterations are excluded.
    fn gone(&self) -> usize {
        self.without.as_deref().map_or(0, |Without { excluded, slow }| {
            excluded.len() + slow.keys().filter(|slow| !excluded.contains(slow)).count()
        })
    }

    fn has_enough(&self) -> bool {
        let all = self.iterations as usize;
        enough_left(all - self.gone(), all)
    }
}

/// A place in a list. Each item takes more than one byte of memory, so there are fewer than 2^32.
fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a list with less than 2^32 items")
}
