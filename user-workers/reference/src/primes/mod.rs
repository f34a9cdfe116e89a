//! `primes`: the number of primes, and the cost of finding them by trial division, without a single trial division.
//!
//! The worker divides a candidate by 2 and then by each odd number up to the square root, until one divides it. So the
//! number of divisions follows from where it stops: at the smallest prime factor, or, for a prime, past the root.

mod sieve;
mod table;
#[cfg(test)]
mod tests;

use std::iter::once;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::{Expectation, Slowed, Task, Units};
use table::{LARGEST_END, Table};

/// The largest end of a whole. No more is ever computed, whatever a log asks for.
const LIMIT: u64 = LARGEST_END as u64;

/// The sums over all candidates so far.
static TABLE: LazyLock<Mutex<Table>> = LazyLock::new(|| Mutex::new(Table::new()));

crate::parameters! {
    /// Counting the primes from `first` up to and without `end`.
    pub struct Primes {
        /// The first candidate.
        first: {
            key: "first-candidate",
            expected: "a whole number of at least 2 and below 33554432",
            fits: |whole| (2..LIMIT).contains(&whole.first),
        },
        /// The end of the candidates, itself not one.
        end: {
            key: "end-candidate",
            expected: "a whole number above the first candidate and at most 33554432",
            fits: |whole| whole.first < whole.end && whole.end <= LIMIT,
        },
    }
}

impl Task for Primes {
    const NAME: &'static str = "primes";

    const UNITS: Units = Units { answer: "primes", work: "trial divisions" };

    const SLOWED: &'static [Slowed] = &[
        Slowed { program: "primes-slowed-2", percent: 2 },
        Slowed { program: "primes-slowed-5", percent: 5 },
        Slowed { program: "primes-slowed-10", percent: 10 },
    ];

    fn example() -> Self {
        Self { first: 2, end: 50_000 }
    }

    /// Leaves out candidates from [`LARGEST_END`] on: no whole that can be run has any.
    fn expectation(&self, challenge: u64) -> Expectation {
        let (first, end) = self.bounds();
        let mut table = table();
        let (from, to) = (table.below(first), table.below(end));
        let digests = [first, end].map(|bound| table.digest_below(bound, challenge));
        Expectation {
            answer: to.primes - from.primes,
            work: to.divisions - from.divisions,
            digest: digests[1].wrapping_sub(digests[0]),
        }
    }

    /// Part `i` of `n` ends at the first candidate with at least `i / n` of all divisions before it.
    fn split(&self, workers: u16, whole: Expectation) -> Vec<Self> {
        let (first, end) = self.bounds();
        let mut table = table();
        let before = u128::from(table.below(first).divisions);
        let share = |part: u16| before + u128::from(whole.work) * u128::from(part) / u128::from(workers);
        let inner = (1..workers).map(|part| {
            let divisions = u64::try_from(share(part)).unwrap_or(u64::MAX);
            u64::from(table.first_with(first, end, divisions)).clamp(self.first.min(self.end), self.end)
        });
        let ends: Vec<u64> = inner.chain((workers > 0).then_some(self.end)).collect();
        let starts = once(self.first).chain(ends.iter().copied());
        starts.zip(&ends).map(|(first, &end)| Self { first, end }).collect()
    }

    fn join(parts: &[Self]) -> Option<Self> {
        let adjacent = parts.windows(2).all(|pair| pair[0].end == pair[1].first);
        let ascending = parts.iter().all(|part| part.first <= part.end);
        let (first, last) = (parts.first()?, parts.last()?);
        (adjacent && ascending).then_some(Self { first: first.first, end: last.end })
    }
}

impl Primes {
    /// The candidates that the worker divides: from the first on and before the second.
    fn bounds(&self) -> (u32, u32) {
        let [first, end] =
            [self.first, self.end].map(|bound| u32::try_from(bound.min(LIMIT)).unwrap_or(LARGEST_END));
        (first.min(end), end)
    }
}

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}
