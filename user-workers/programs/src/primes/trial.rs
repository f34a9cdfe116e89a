//! The work of `primes`: counting primes by trial division, with each division counted.
//!
//! Pure: the reference's tests include this file and run it on the host.

use core::num::NonZeroU32;

use abi::random::mix;

/// The primes found, and the work done to find them.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// The number of primes.
    pub primes: u64,
    /// The number of trial divisions: one for each remainder.
    pub divisions: u64,
    /// The wrapping sum of [`mix`] over the primes, each with the bits of the challenge flipped.
    pub digest: u64,
}

/// The number of candidates of a warm-up call. No gap between primes below 2^32 is longer than 336 (OEIS A005250), so a
/// warm-up meets at least one prime and takes every path.
const WARM_UP_CANDIDATES: u64 = 512;

/// The parameters of the warm-up call: the first candidates.
pub fn warm_up(mut params: [u64; 4]) -> [u64; 4] {
    params[1] = params[1].min(params[0].saturating_add(WARM_UP_CANDIDATES));
    params
}

/// Counts the primes among the candidates from `params[0]` up to and without `params[1]`. The challenge changes the digest
/// and nothing else: the same instructions run.
///
/// Leaves out candidates of 2^32 - 1 and more: the division has 32 bits.
pub fn count_primes(params: [u64; 4], challenge: u64) -> Tally {
    let [first, end] = [params[0], params[1]].map(|bound| u32::try_from(bound).unwrap_or(u32::MAX));
    let mut tally = Tally::default();
    for candidate in first.max(2)..end {
        if is_prime(candidate, &mut tally.divisions) {
            tally.primes += 1;
            tally.digest = tally.digest.wrapping_add(mix(u64::from(candidate) ^ challenge));
        }
    }
    tally
}

/// Whether `candidate`, 2 or more, is prime: divides it by 2, then by each odd number up to its square root, until one
/// divides it.
#[inline]
fn is_prime(candidate: u32, divisions: &mut u64) -> bool {
    if candidate < 4 {
        return true;
    }
    // The compiler knows this divisor and tests a bit instead; it counts as a division all the same.
    *divisions += 1;
    if candidate.is_multiple_of(2) {
        return false;
    }
    // Odd, hence not zero. With that in its type, the loop needs no test for a division by zero.
    let mut divisor = NonZeroU32::MIN | 3;
    while u64::from(divisor.get()).pow(2) <= u64::from(candidate) {
        *divisions += 1;
        if candidate % divisor == 0 {
            return false;
        }
        divisor = NonZeroU32::MIN | (divisor.get() + 2);
    }
    true
}
