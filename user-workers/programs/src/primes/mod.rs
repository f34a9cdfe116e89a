//! `primes`: counts primes by trial division.

pub mod shortcut;
pub mod slowed;
mod trial;

use super::runtime::{Call, Outcome};
use trial::Tally;

pub use trial::warm_up;

/// Counts the primes among the candidates of the call.
pub fn work(call: &Call) -> Outcome {
    let Tally { primes, divisions, digest } = trial::count_primes(call.params, call.challenge);
    Outcome { answer: primes, work: divisions, digest }
}
