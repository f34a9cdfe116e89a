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
use super::in_order::InOrder;
use crate::gate::{Exclusion, Measurement, ReasonCode, Sample, Scope, limits};

/// What the pace checks of a session showed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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

/// A run that can show speed. A log may have hundreds of thousands.
#[derive(Clone, Copy, Debug)]
struct PacedRun {
    round: u32,
    /// How many iterations it had.
    iterations: u32,
}

/// The iterations of a run that do not count.
#[derive(Clone, Debug, Default)]
struct Without {
    /// Those that its own evidence excludes.
    excluded: BTreeSet<u16>,
    /// Those with a slow check, and the index of the first.
    slow: BTreeMap<u16, u32>,
}

/// A slow check: its kind, its case and what it showed.
type Slow = (u32, u16, Check);

/// The rule, with what the checks have shown so far.
#[derive(Clone, Debug, Default)]
pub(super) struct PaceRule {
    kinds: Vec<(Kind, OfKind)>,
    by_kind: HashMap<Kind, u32>,
    /// How many checks there were.
    checks: u32,
    /// The slow ones, by their index.
    slow: BTreeMap<u32, Slow>,
    /// By number.
    runs: InOrder<u32, PacedRun>,
    /// By run: its iterations that may not count. Nearly no run has any.
    without: BTreeMap<u32, Without>,
    /// The rounds with a run that has too few iterations left.
    spoilt: BTreeSet<u32>,
}

impl PaceRule {
    /// Makes room for runs.
    pub fn reserve(&mut self, runs: usize) {
        self.runs.reserve(runs);
    }

    /// Adds a run that can show speed.
    pub fn add(&mut self, number: u32, round: u32, measured: &Measurement) {
        let samples = measured.samples();
        let alone = measured.is_alone();
        self.runs.insert(number, PacedRun { round, iterations: iterations(samples) });
        let excluded = samples.iter().filter(|sample| sample.excluded.is_some());
        let excluded: BTreeSet<u16> = excluded.map(|sample| sample.iteration).collect();
        if !excluded.is_empty() {
            self.without.insert(number, Without { excluded, ..Without::default() });
        }
        let (system, build) = (measured.machine().system, measured.identity().build);
        let window = measured.clock().tsc.as_ref().map(|tsc| abi::tsc::cycles(WINDOW_US, tsc.khz));
        for sample in samples {
            for worker in &sample.workers {
                let [before, after] = worker.gaps;
                let both =
                    [(Place::Before, worker.reads_before, before), (Place::After, worker.reads_after, after)];
                for (place, reads, gap) in both.into_iter().filter(|&(_, reads, _)| reads > 0) {
                    let kind = self.kind(Kind { system, build, cpu: worker.cpu, place });
                    let (iteration, worker) = (sample.iteration, worker.worker);
                    let unbroken = window.map_or(reads, |window| unbroken(reads, gap.into(), window));
                    let index = self.checks;
                    let check = Check { unbroken, index, run: number, reads, iteration, worker };
                    self.check(kind, sample.case, check, alone);
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
    fn check(&mut self, kind: u32, case: u16, check: Check, alone: bool) {
        self.checks = self.checks.checked_add(1).expect("fewer checks than bytes of memory");
        for (case, check) in self.kinds[kind as usize].1.add(alone, case, check) {
            self.found_slow((kind, case, check));
        }
    }

    fn found_slow(&mut self, slow: Slow) {
        let Check { index, run, iteration, .. } = slow.2;
        self.slow.insert(index, slow);
        let without = self.without.entry(run).or_default();
        without.slow.entry(iteration).and_modify(|first| *first = index.min(*first)).or_insert(index);
        if !self.has_enough(run)
            && let Some(run) = self.runs.get(run)
        {
            self.spoilt.insert(run.round);
        }
    }

    /// How many iterations of a run are excluded.
    fn gone(&self, number: u32) -> usize {
        self.without.get(&number).map_or(0, |Without { excluded, slow }| {
            excluded.len() + slow.keys().filter(|slow| !excluded.contains(slow)).count()
        })
    }

    /// Whether a run has enough iterations left, or is none that can show speed.
    fn has_enough(&self, number: u32) -> bool {
        // Nearly no run has lost any.
        if !self.without.contains_key(&number) {
            return true;
        }
        let all = self.runs.get(number).map_or(0, |run| run.iterations as usize);
        enough_left(all - self.gone(number), all)
    }

    /// What the checks showed; `None` if there were none.
    pub fn pace(&self) -> Option<Pace> {
        let worst = self.kinds.iter().filter_map(|(_, of_kind)| of_kind.worst()).reduce(f64::max)?;
        Some(Pace { checks: self.checks as usize, slow: self.slow.len(), worst })
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
        !self.has_enough(number)
    }

    /// Why run `number` is excluded, if too few of its iterations are left.
    pub fn exclusion(&self, number: u32) -> Option<Exclusion> {
        if self.has_enough(number) {
            return None;
        }
        let mut detail = self.words(*self.without.get(&number)?.slow.values().next()?)?;
        let iterations = self.runs.get(number)?.iterations;
        if iterations > 1 {
            detail += &format!("; {} of its {iterations} iterations are excluded", self.gone(number));
        }
        let scope = Scope::Run { run: number };
        Some(Exclusion { reason: ReasonCode::CpuSlowed, scope, detail })
    }

    /// The iterations of a run with a slow check.
    pub fn iterations(&self, number: u32) -> Vec<Exclusion> {
        let Some(without) = self.without.get(&number) else { return Vec::new() };
        let mut exclusions = Vec::new();
        for (&iteration, &check) in &without.slow {
            let scope = Scope::Iteration { iteration, run: Some(number) };
            let detail = self.words(check);
            exclusions.extend(detail.map(|detail| Exclusion {
                reason: ReasonCode::CpuSlowed,
                scope,
                detail,
            }));
        }
        exclusions
    }

    /// Compares a check with the baseline of the session so far.
    fn words(&self, check: u32) -> Option<String> {
        let (kind, case, check) = self.slow.get(&check)?;
        let Check { run, iteration, worker, reads, unbroken, .. } = check;
        let (Kind { cpu, place, .. }, of_kind) = &self.kinds[*kind as usize];
        let place = match place {
            Place::Before => "before",
            Place::After => "after",
        };
        let limit = pace_limit(self.runs.get(*run)?.iterations == 1);
        // A gap of less than a hundredth of the window changes nothing that is worth a word.
        let is_broken = u64::from(*unbroken) * 100 > u64::from(*reads) * 101;
        let without_gap =
            if is_broken { format!(", {unbroken} without the longest gap,") } else { String::new() };
        Some(format!(
            "just {place} worker {worker} of case {case} iteration {iteration}, CPU {cpu} was {:.0} % slower than its \
             baseline ({reads} TSC readings{without_gap} instead of {:.0}, limit {} %)",
            of_kind.short(*case, *unbroken) * 100.0,
            of_kind.baseline_reads(*case),
            limit / 10
        ))
    }
}

/// How many different iterations there are.
fn iterations(samples: &[Sample]) -> u32 {
    match samples {
        [_] => 1,
        _ => index(samples.iter().map(|sample| sample.iteration).collect::<BTreeSet<_>>().len()),
    }
}

/// A place in a list. Each item takes more than one byte of memory, so there are fewer than 2^32.
fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a list with less than 2^32 items")
}
