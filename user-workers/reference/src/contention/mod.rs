//! The contention programs: turns that the workers of a case take at what they share. The answer is how many were taken,
//! which is exact: what a race loses is missing.

#[cfg(test)]
mod tests;

use crate::digest::bind;
use crate::{Expectation, Needs, Task, Units};

/// The most turns of a whole.
const MOST_TURNS: u64 = 1 << 32;

/// The shared memory: eight counters of two lines each, 256 places of as much for counters and for the queue of a lock, and the
/// counters that may share lines.
const SHARED_BYTES: u64 = 8 * 128 + 2 * 256 * 128 + 256 * 256;

/// Declares the task of one program.
macro_rules! contention {
    ($Name:ident, $name:literal, $doc:literal $(, $stride:ident: $stride_doc:literal)?) => {
        crate::parameters! {
            #[doc = $doc]
            pub struct $Name {
                /// The first turn.
                first: {
                    key: "first-turn",
                    expected: "a whole number below 4294967296",
                    fits: |whole| whole.first < MOST_TURNS,
                },
                /// The end of the turns, itself not one.
                end: {
                    key: "end-turn",
                    expected: "a whole number above the first turn and at most 4294967296",
                    fits: |whole| whole.first < whole.end && whole.end <= MOST_TURNS,
                },
                $(
                    #[doc = $stride_doc]
                    $stride: {
                        key: "stride-bytes",
                        expected: "8, 16, 32, 64, 128 or 256",
                        fits: |whole| whole.$stride.is_power_of_two() && (8..=256).contains(&whole.$stride),
                    },
                )?
            }
        }

        impl Task for $Name {
            const NAME: &'static str = $name;

            const UNITS: Units = Units { answer: "turns counted", work: "turns" };

            const NEEDS: Needs = Needs { prepare: true, verify: true, ..Needs::NONE };

            fn example() -> Self {
                Self { first: 5, end: 1000 $(, $stride: 64)? }
            }

            fn expectation(&self, challenge: u64) -> Expectation {
                let [first, end] = [self.first, self.end].map(|bound| bound.min(MOST_TURNS));
                let turns = end.saturating_sub(first);
                Expectation { answer: turns, work: turns, digest: bind(turns, challenge) }
            }

            fn shared_bytes(&self) -> u64 {
                SHARED_BYTES
            }
        }
    };
}

contention!(SharedLine, "contention-shared-line", "Increments of one counter by locked instructions.");
contention!(
    FalseSharing,
    "contention-false-sharing",
    "Increments of a counter of each worker's own, near those of the others.",
    stride: " The distance between the counters of two workers in bytes: below 64 they share a cache line."
);
contention!(TicketLock, "contention-ticket-lock", "Increments of one counter behind a ticket lock.");
contention!(McsLock, "contention-mcs-lock", "Increments of one counter behind an MCS lock.");
contention!(Barrier, "contention-barrier", "Crossings of a barrier, at which all workers wait for the last.");
