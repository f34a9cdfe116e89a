//! The right answer for more work than is reported: the regression that a comparison of two builds must find.

use core::hint::black_box;

use super::super::runtime::{Call, Outcome};
use super::trial;

/// The number of candidates that are tried again at a time, which bounds by how much the further work overshoots.
const CHUNK: u64 = 16;

/// Counts the primes of the call, then tries the last candidates again until it has made `PERCENT` percent more
/// divisions than it reports.
pub fn work<const PERCENT: u64>(call: &Call) -> Outcome {
    let outcome = super::work(call);
    let [first, mut end, ..] = call.params;
    let (owed, mut paid) = (outcome.work * PERCENT / 100, 0);
    while paid < owed && end > first {
        let begin = end.saturating_sub(CHUNK).max(first);
        // The count is not used; `black_box` keeps the compiler from dropping the work.
        paid += black_box(trial::count_primes(black_box([begin, end, 0, 0]), call.challenge)).divisions;
        end = begin;
    }
    outcome
}
