//! The trial division of [`super::trial`], behind the runtime's interface.

use super::runtime::{Call, Outcome};
use super::trial::{self, Tally};

pub use super::trial::warm_up;

/// Counts the primes that the call asks for.
pub fn work(call: &Call) -> Outcome {
    let Tally { primes, divisions, digest } = trial::count_primes(call.params);
    Outcome { answer: primes, work: divisions, digest }
}
