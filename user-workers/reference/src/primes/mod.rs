//! `primes`: the number of primes, and the cost of finding them by trial division, without a single trial division.
//!
//! The worker divides a candidate by 2 and then by each odd number up to the square root, until one divides it. So the
//! number of divisions follows from where it stops: at the smallest prime factor, or, for a prime, past the root.

mod sieve;
#[cfg(test)]
mod tests;

use std::iter::once;

use abi::random::mix;

use crate::{Expectation, Slowed, Task, Units};
use sieve::{Number, numbers};

/// The program divides 32-bit numbers: it leaves out candidates from here on.
const LIMIT: u64 = u32::MAX as u64;

crate::parameters! {
    /// Counting the primes from `first` up to and without `end`.
    pub struct Primes {
        /// The first candidate.
        first: {
            key: "first-candidate",
            expected: "a whole number of at least 2 and below 4294967295",
            fits: |whole| (2..LIMIT).contains(&whole.first),
        },
        /// The end of the candidates, itself not one.
        end: {
            key: "end-candidate",
            expected: "a whole number above the first candidate and at most 4294967295",
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

    /// Takes as long as a sieve over the candidates: about ten milliseconds for three million, and some seconds for the
    /// most there can be.
    fn expectation(&self, challenge: u64) -> Expectation {
        let mut found = Expectation::default();
        self.numbers().for_each(|number| {
            found.work += trial_divisions(number);
            if number.factor.is_none() {
                found.answer += 1;
                found.digest = found.digest.wrapping_add(mix(u64::from(number.value) ^ challenge));
            }
        });
        found
    }

    /// Part `i` of `n` ends at the first candidate with at least `i / n` of all divisions before it.
    fn split(&self, workers: u16, whole: Expectation) -> Vec<Self> {
        let share = |part: u16| u128::from(whole.work) * u128::from(part) / u128::from(workers);
        let mut ends = Vec::with_capacity(workers.into());
        let mut part = 1;
        let mut before = 0;
        self.numbers().for_each(|number| {
            while part < workers && u128::from(before) >= share(part) {
                ends.push(u64::from(number.value));
                part += 1;
            }
            before += trial_divisions(number);
        });
        ends.resize(workers.into(), self.end);
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
    /// The candidates that the worker divides, each with its smallest factor.
    fn numbers(&self) -> impl Iterator<Item = Number> + use<> {
        let [first, end] = [self.first, self.end].map(|bound| u32::try_from(bound).unwrap_or(u32::MAX));
        numbers(first, end)
    }
}

/// The number of divisions of `number`: by 2, and by each odd number from 3 on up to where the worker stops. None if
/// the square of 2 is already more than the number.
fn trial_divisions(number: Number) -> u64 {
    match number.factor.unwrap_or_else(|| number.value.isqrt()) {
        0 | 1 => 0,
        last => 1 + u64::from(last - 1) / 2,
    }
}
