//! `chase`: the sum of the keys along a walk of dependent loads, from prefix sums along the cycle instead of a walk.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use abi::random::{SplitMix64, mix};

use crate::digest::bind;
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

/// The most loads of a whole. So the sum of the keys, which have 32 bits, stays below 2^62.
const MOST_LOADS: u64 = 1 << 30;

/// The largest working set in KiB. Its cycle is made in some tens of milliseconds.
const MOST_KIB: u64 = 128 << 10;

/// The number of cache lines, of 64 bytes, in a KiB.
const LINES_IN_KIB: u64 = 16;

/// The last cycles, by working set.
static CYCLES: Kept<u64, Arc<Cycle>> = Kept::new(4);

crate::parameters! {
    /// A walk of dependent loads along one cycle through a working set.
    pub struct Chase {
        /// The first load of the walk; those before it are skipped.
        first: {
            key: "first-load",
            expected: "a whole number below 1073741824",
            fits: |whole| whole.first < MOST_LOADS,
        },
        /// The end of the loads, itself not one.
        end: {
            key: "end-load",
            expected: "a whole number above the first load and at most 1073741824",
            fits: |whole| whole.first < whole.end && whole.end <= MOST_LOADS,
        },
        /// The working set of each worker in KiB, in lines of 64 bytes.
        kib: {
            key: "working-set-kib",
            expected: "a whole number of at least 1 and at most 131072",
            fits: |whole| (1..=MOST_KIB).contains(&whole.kib),
        },
    }
}

impl Task for Chase {
    const NAME: &'static str = "chase";

    const UNITS: Units = Units { answer: "summed keys", work: "loads" };

    const NEEDS: Needs = Needs { prepare: true, ..Needs::NONE };

    fn example() -> Self {
        Self { first: 100, end: 30_000, kib: 16 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let [first, end] = [self.first, self.end].map(|bound| bound.min(MOST_LOADS));
        let first = first.min(end);
        let kib = self.kib.clamp(1, MOST_KIB);
        let cycle = CYCLES.get(kib, || Arc::new(Cycle::new(kib)));
        let sum = cycle.sum_before(end).wrapping_sub(cycle.sum_before(first));
        Expectation { answer: sum, work: end - first, digest: bind(sum, challenge) }
    }

    /// The working set, and a line for a note.
    fn memory_bytes(&self) -> u64 {
        self.kib.min(MOST_KIB) * 1024 + 64
    }
}

/// The sums of the keys along the cycle: `sums[n]` is that of the first `n` loads.
struct Cycle {
    sums: Vec<u64>,
}

impl Cycle {
    /// The cycle of Sattolo's algorithm. The permutation that it makes is one cycle; here it is written down in the order
    /// of the walk.
    fn new(kib: u64) -> Self {
        let lines = usize::try_from(kib * LINES_IN_KIB).unwrap_or(usize::MAX);
        let mut next: Vec<u32> = (0..).take(lines).collect();
        let mut random = SplitMix64::new(0);
        for last in (1..lines).rev() {
            let other = random.below(last);
            next.swap(last, other);
        }
        let mut sums = Vec::with_capacity(lines + 1);
        let (mut at, mut sum) = (0, 0_u64);
        for _ in 0..lines {
            sums.push(sum);
            sum += mix(at) >> 32;
            at = next[usize::try_from(at).unwrap_or_default()].into();
        }
        sums.push(sum);
        Self { sums }
    }

    fn sum_before(&self, loads: u64) -> u64 {
        let length = self.sums.len() as u64 - 1;
        let whole = self.sums.last().copied().unwrap_or_default();
        let part = usize::try_from(loads % length).ok().and_then(|at| self.sums.get(at));
        (loads / length).wrapping_mul(whole).wrapping_add(part.copied().unwrap_or_default())
    }
}
