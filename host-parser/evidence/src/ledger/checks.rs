//! Pace checks, by what they can be compared with.

use std::collections::BTreeSet;

use abi::wire::Hex64;
use abi::wire::record::SystemName;

use crate::baseline::Baseline;
use crate::gate::limits;

/// On which side of a worker a check was made.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) enum Place {
    Before,
    After,
}

/// What paces are compared within: the same code on the same CPU beside as many others.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(super) struct Kind {
    pub system: SystemName,
    pub build: Hex64,
    pub case: u16,
    pub cpu: u16,
    pub place: Place,
}

/// One check.
#[derive(Clone, Debug)]
pub(super) struct Check {
    /// Its kind's place among the kinds.
    pub kind: usize,
    /// Its run's place among the runs.
    pub run: usize,
    pub iteration: u16,
    pub worker: u16,
    pub reads: u32,
}

/// The checks of one kind.
#[derive(Clone, Debug)]
pub(super) struct OfKind {
    pub kind: Kind,
    /// Of the time that a reading takes.
    pub baseline: Baseline,
    pub fewest_reads: u32,
    /// Checks that are not slow so far: whether their boot has no other iteration, their readings, and their place among
    /// the checks.
    pub unremarkable: BTreeSet<(bool, u32, usize)>,
}

impl OfKind {
    /// How many readings there are on an undisturbed CPU.
    pub fn baseline_reads(&self) -> f64 {
        self.baseline.time().map_or(f64::from(self.fewest_reads), |time| 1.0 / time)
    }

    /// By what part a CPU with so many readings was below the baseline.
    pub fn short(&self, reads: u32) -> f64 {
        (1.0 - f64::from(reads) / self.baseline_reads()).max(0.0)
    }

    fn is_slow(&self, alone: bool, reads: u32) -> bool {
        let limit = if alone { limits::PACE_ALONE_PER_MILLE } else { limits::PACE_PER_MILLE };
        self.short(reads) * 1e3 > limit as f64
    }

    /// Takes the checks that are slow by today's baseline.
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
