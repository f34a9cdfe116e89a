//! The right answer for more work than was asked for: the regression that a comparison must find.

use core::hint::black_box;

use super::super::runtime::{Call, Outcome};
use super::trial;
use super::work as count;

/// How many candidates are looked at again at a time; the most by which the further work can be too much.
const CHUNK: u64 = 16;

/// Counts the primes that the call asks for, then looks at the last candidates again until `PERCENT` percent more
/// divisions were made than are reported.
pub fn work<const PERCENT: u64>(call: &Call) -> Outcome {
    let outcome = count(call);
    let [first, mut end, ..] = call.params;
    let (owed, mut paid) = (outcome.work * PERCENT / 100, 0);
    while paid < owed && end > first {
        let begin = end.saturating_sub(CHUNK).max(first);
        // Nobody asks for the answer, which must not be a reason not to work it out.
        paid += black_box(trial::count_primes(black_box([begin, end, 0, 0]))).divisions;
        end = begin;
    }
    outcome
}
