//! The right answer for less work than the task has: trial division that also leaves out the multiples of 3.

use super::super::runtime::{Call, Outcome};
use abi::random::mix;

/// Counts the primes of the call, and reports the divisions that it really made.
pub fn work(call: &Call) -> Outcome {
    let mut outcome = Outcome { answer: 0, work: 0, digest: 0 };
    for candidate in call.params[0].max(2)..call.params[1] {
        if is_prime(candidate, &mut outcome.work) {
            outcome.answer += 1;
            outcome.digest = outcome.digest.wrapping_add(mix(candidate ^ call.challenge));
        }
    }
    outcome
}

/// Divides by 2, 3, and then by the numbers of the form 6k - 1 and 6k + 1.
fn is_prime(candidate: u64, divisions: &mut u64) -> bool {
    let mut divides = |divisor: u64| {
        *divisions += 1;
        candidate.checked_rem(divisor) == Some(0)
    };
    for small in [2, 3] {
        if small * small > candidate {
            return true;
        }
        if divides(small) {
            return false;
        }
    }
    let mut middle = 6_u64;
    while (middle - 1).pow(2) <= candidate {
        if divides(middle - 1) || (middle + 1).pow(2) <= candidate && divides(middle + 1) {
            return false;
        }
        middle += 6;
    }
    true
}
