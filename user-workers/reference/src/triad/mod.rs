//! `triad`: the last array after all rounds, worked out element by element instead of round by round.

#[cfg(test)]
mod tests;

use abi::random::mix;

use crate::digest::bind;
use crate::{Expectation, Needs, Task, Units};

/// The most elements, and the most elements times rounds: some tens of milliseconds.
const MOST_STEPS: u64 = 1 << 25;

/// The most rounds. The elements grow by less than 1.25 a round and stay finite.
const MOST_ROUNDS: u64 = 1000;

/// The bytes that a round moves for each element: two reads and a write of 8.
const BYTES: u64 = 24;

/// By how many elements the program sets the arrays apart, and the elements of its warm-up.
const PAD: u64 = 5 * 512 + 8;
const WARM_UP_ELEMENTS: u64 = 512;

crate::parameters! {
    /// Rounds of the triad over three arrays.
    pub struct Triad {
        /// The first element.
        first: {
            key: "first-element",
            expected: "a whole number below 33554432",
            fits: |whole| whole.first < MOST_STEPS,
        },
        /// The end of the elements, itself not one.
        end: {
            key: "end-element",
            expected: "a whole number above the first element, so that elements times rounds are at most 33554432",
            fits: |whole| whole.first < whole.end
                && (whole.end - whole.first).saturating_mul(whole.rounds) <= MOST_STEPS,
        },
        /// How often the triad goes over the arrays, which change roles each time.
        rounds: {
            key: "rounds",
            expected: "a whole number of at least 1 and at most 1000",
            fits: |whole| (1..=MOST_ROUNDS).contains(&whole.rounds),
        },
    }
}

impl Task for Triad {
    const NAME: &'static str = "triad";

    const UNITS: Units = Units { answer: "bytes moved", work: "elements of 24 bytes" };

    const NEEDS: Needs = Needs { prepare: true, verify: true, ..Needs::NONE };

    fn example() -> Self {
        Self { first: 3, end: 5000, rounds: 7 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let rounds = self.rounds.min(MOST_ROUNDS);
        let [first, end] = [self.first, self.end].map(|bound| bound.min(MOST_STEPS));
        let end = end.min(first.saturating_add(MOST_STEPS / rounds.max(1)));
        let elements = first..end;
        let sum = elements.clone().fold(0_u64, |sum, number| {
            sum.wrapping_add(mix(element(number, rounds).to_bits() ^ mix(number)))
        });
        let work = elements.end.saturating_sub(elements.start) * rounds;
        Expectation { answer: work * BYTES, work, digest: bind(sum, challenge) }
    }

    /// Three arrays, and three short ones for the warm-up.
    fn memory_bytes(&self) -> u64 {
        let elements = self.end.saturating_sub(self.first).min(MOST_STEPS);
        [elements, WARM_UP_ELEMENTS].map(|elements| 3 * 8 * elements + 2 * 8 * PAD + 64).iter().sum()
    }
}

/// Element `number` of the array that the last round wrote. Before the first, each array has 12 bits of a hash.
fn element(number: u64, rounds: u64) -> f64 {
    let [a, mut before, mut last] =
        [0_u64, 1, 2].map(|which| f64::from((mix(number ^ which << 62) & 0xfff) as u16));
    // What is overwritten in the first round is never read.
    let _ = a;
    for _ in 0..rounds {
        (before, last) = (last, before + 0.4 * last);
    }
    last
}
