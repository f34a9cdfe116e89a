//! Pace checks, and which of them are compared with each other.

use std::collections::BTreeSet;

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

/// Checks are compared only within a kind: the same code on the same CPU, with as many workers on other CPUs.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Kind {
    pub system: SystemName,
    pub build: Hex64,
    pub case: u16,
    pub cpu: u16,
    pub place: Place,
}

/// One pace check.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// The index of its kind.
    pub kind: usize,
    /// The index of its run.
    pub run: usize,
    pub iteration: u16,
    pub worker: u16,
    pub reads: u32,
}

/// The checks of one kind.
#[derive(Clone, Debug)]
pub(super) struct OfKind {
    pub kind: Kind,
    /// The baseline of the time that a reading takes.
    pub baseline: Baseline,
    pub fewest_reads: u32,
    /// The checks that are not slow so far: whether their boot has a single iteration, how many readings they have, and
    /// their index.
    pub unremarkable: BTreeSet<(bool, u32, usize)>,
}

impl OfKind {
    /// How many readings a check has at the baseline.
    pub fn baseline_reads(&self) -> f64 {
        self.baseline.time().map_or(f64::from(self.fewest_reads), |time| 1.0 / time)
    }

    /// The part by which a check with `reads` readings is below the baseline.
    pub fn short(&self, reads: u32) -> f64 {
        (1.0 - f64::from(reads) / self.baseline_reads()).max(0.0)
    }

    fn is_slow(&self, alone: bool, reads: u32) -> bool {
        self.short(reads) * 1e3 > pace_limit(alone) as f64
    }

    /// Removes and returns the checks that are slow by the present baseline.
    pub fn take_slow(&mut self) -> Vec<usize> {
        let mut slow = Vec::new();
        for alone in [false, true] {
            let slowest = (alone, 0, 0);
            while let Some(&next) = self.unremarkable.range(slowest..).next()
                && next.0 == alone
                && self.is_slow(alone, next.1)
            {
                self.unremarkable.remove(&next);
                slow.push(next.2);
            }
        }
        slow
    }
}

/// How much slower than its baseline a CPU may be, in thousandths; `alone` if its boot has a single iteration.
pub(super) fn pace_limit(alone: bool) -> u64 {
    if alone { limits::PACE_ALONE_PER_MILLE } else { limits::PACE_PER_MILLE }
}
