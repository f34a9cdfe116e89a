//! The trial division of [`trial`], behind the runtime's interface.

#[allow(dead_code, reason = "for the variants of `primes` that take longer")]
pub mod slowed;
mod trial;
#[allow(dead_code, reason = "for one control")]
pub mod wheel;

use super::mix;
use super::runtime::{Call, Outcome};
use trial::Tally;

pub use trial::warm_up;

/// Counts the primes that the call asks for.
pub fn work(call: &Call) -> Outcome {
    let Tally { primes, divisions, digest } = trial::count_primes(call.params);
    Outcome { answer: primes, work: divisions, digest }
}
