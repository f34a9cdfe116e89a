//! The work of `primes`: counting primes by trial division, with each division counted.
//!
//! Pure and without a branch on anything but its parameters, so that the host's tests run this very file.

use core::num::NonZeroU32;

use super::mix::mix;

/// What was found, and how much was done to find it.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Tally {
    /// How many primes there are.
    pub primes: u64,
    /// Trial divisions, each remainder taken being one.
    pub divisions: u64,
    /// The wrapping sum of [`mix`] over the primes.
    pub digest: u64,
}

/// How many candidates a warm-up call looks at. No gap between primes below 2^32 is longer than 336 (OEIS A005250), so
/// that even the rarest path is taken.
const WARM_UP_CANDIDATES: u64 = 512;

/// The warm-up's share of `params`: its first candidates.
pub fn warm_up(mut params: [u64; 4]) -> [u64; 4] {
    params[1] = params[1].min(params[0].saturating_add(WARM_UP_CANDIDATES));
    params
}

/// Counts the primes among the candidates from `params[0]` up to and without `params[1]`.
///
/// Candidates of 2^32 - 1 and more are left out: the division is a 32-bit one.
pub fn count_primes(params: [u64; 4]) -> Tally {
    let [first, end] = [params[0], params[1]].map(|bound| u32::try_from(bound).unwrap_or(u32::MAX));
    let mut tally = Tally::default();
    for candidate in first.max(2)..end {
        if is_prime(candidate, &mut tally.divisions) {
            tally.primes += 1;
            tally.digest = tally.digest.wrapping_add(mix(u64::from(candidate)));
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
    // The divisor is known to the compiler, which tests a bit; it counts as the division it stands for.
    *divisions += 1;
    if candidate.is_multiple_of(2) {
        return false;
    }
    // Odd, hence not zero: said in the type, it costs the loop no test.
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
