//! Pace checks, and which of them are compared with each other.
//!
//! A check is compared with what the same CPU showed beside **as many workers or more**, whatever the case. With fewer
//! workers beside it, no system can make a CPU slower: a case that always finds its CPU slower than a larger case does had
//! a neighbour. With more workers beside it, the system can: the clock is lower, or vCPUs share a core. A slowness that a
//! case always has is therefore the platform's, and stays in its times; one that it has at times excludes them. If the
//! platform does that too, one case is excluded more often than another, and that is what `results::selection` tests.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use abi::wire::Hex64;
use abi::wire::record::SystemName;

use crate::baseline::Baseline;
use crate::gate::limits;

/// Whether a check was made before or after its worker.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Place {
    Before,
    After,
}

/// Checks are compared only within a kind: the same code on the same CPU, on the same side of the worker. The system is
/// part of it because CPU 0 of a guest and CPU 0 of the host are two CPUs, even if one program does the checks on both.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Kind {
    pub system: SystemName,
    pub build: Hex64,
    pub cpu: u16,
    pub place: Place,
}

/// One pace check of a kind and a case. A log may have hundreds of thousands of boots with two checks each.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Check {
    /// See [`unbroken`]. Checks are sorted by it, and then by their index.
    pub unbroken: u32,
    /// Its place among all checks.
    pub index: u32,
    /// The number of its run.
    pub run: u32,
    pub reads: u32,
    pub iteration: u16,
    pub worker: u16,
}

/// How many readings a check would have had without its longest gap, which is the time of `gap` of its `window` cycles:
/// at least as many as it would have had in truth, because a gap may reach beyond the window's end. If nothing but the gap
/// is left, the check says nothing of the pace.
///
/// A gap is the gap rule's, and no slowness: Linux takes its interrupts meanwhile, and one tick under TCG costs 0.3 ms of
/// a window of 0.5.
pub(super) fn unbroken(reads: u32, gap: u64, window: u64) -> u32 {
    let Some(left) = window.checked_sub(gap).filter(|&left| left > 0) else { return u32::MAX };
    let scaled = u128::from(reads) * u128::from(window) / u128::from(left);
    u32::try_from(scaled).unwrap_or(u32::MAX)
}

/// The checks of one kind, by case.
#[derive(Clone, Debug, Default)]
pub(super) struct OfKind {
    cases: BTreeMap<u16, OfCase>,
}

/// The checks of one kind in one case.
#[derive(Clone, Debug, Default)]
struct OfCase {
    /// The case's own baseline of the time that a reading takes.
    own: Baseline,
    /// The least baseline of this case and of all larger ones; `None` before the first check.
    least: Option<f64>,
    fewest_reads: u32,
    /// The checks that are not slow so far, the slowest on top: of boots with several iterations, and of those with one.
    unremarkable: [BinaryHeap<Reverse<Check>>; 2],
}

/// From this many checks on, a case's baseline never rises, and other cases can rely on it.
const SETTLED: usize = 3;

impl OfKind {
    /// Adds a check of `case`, which has at least one reading; `alone` if its boot has a single iteration. Returns the checks
    /// that are slow now, with their cases: this one, or earlier ones if it improved a baseline. The baseline is of readings as they were made, so that no guess of
    /// what a gap cost raises it.
    pub fn add(&mut self, alone: bool, case: u16, check: Check) -> Vec<(u16, Check)> {
        let Check { reads, unbroken, .. } = check;
        let of_case = self.cases.entry(case).or_default();
        of_case.own.add(1.0 / f64::from(reads));
        let first = of_case.fewest_reads == 0;
        of_case.fewest_reads = if first { unbroken } else { of_case.fewest_reads.min(unbroken) };
        of_case.unremarkable[usize::from(alone)].push(Reverse(check));
        let mut slow = Vec::new();
        let mut of_larger: Option<f64> = None;
        for (&at, of_case) in self.cases.iter_mut().rev() {
            let own = of_case.own.time();
            let least = own.into_iter().chain(of_larger).reduce(f64::min);
            let changed = of_case.least != least;
            of_case.least = least;
            if at == case || changed {
                of_case.take_slow(at, &mut slow);
            }
            of_larger = if of_case.own.count() >= SETTLED { least } else { of_larger };
        }
        slow
    }

    /// How many readings a check of a case has at the baseline.
    pub fn baseline_reads(&self, case: u16) -> f64 {
        self.cases.get(&case).map_or(0.0, OfCase::baseline_reads)
    }

    /// The part by which a check of a case with `reads` readings is below the baseline.
    pub fn short(&self, case: u16, reads: u32) -> f64 {
        self.cases.get(&case).map_or(0.0, |of_case| of_case.short(reads))
    }

    /// The largest part by which a check is below its baseline.
    pub fn worst(&self) -> Option<f64> {
        self.cases.values().map(|of_case| of_case.short(of_case.fewest_reads)).reduce(f64::max)
    }
}

impl OfCase {
    fn baseline_reads(&self) -> f64 {
        self.least.map_or(f64::from(self.fewest_reads), |time| 1.0 / time)
    }

    fn short(&self, reads: u32) -> f64 {
        (1.0 - f64::from(reads) / self.baseline_reads()).max(0.0)
    }

    fn is_slow(&self, alone: bool, reads: u32) -> bool {
        self.short(reads) * 1e3 > pace_limit(alone) as f64
    }

    /// Moves the checks that are slow by the present baseline to `slow`, with their case.
    fn take_slow(&mut self, case: u16, slow: &mut Vec<(u16, Check)>) {
        for alone in [false, true] {
            let at = usize::from(alone);
            while let Some(&Reverse(next)) = self.unremarkable[at].peek()
                && self.is_slow(alone, next.unbroken)
            {
                self.unremarkable[at].pop();
                slow.push((case, next));
            }
        }
    }
}

/// How much slower than its baseline a CPU may be, in thousandths; `alone` if its boot has a single iteration.
pub(super) fn pace_limit(alone: bool) -> u64 {
    if alone { limits::PACE_ALONE_PER_MILLE } else { limits::PACE_PER_MILLE }
}
