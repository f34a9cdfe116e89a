//! The smallest prime factor of every number in a range, by a segmented sieve of Eratosthenes.

/// A number with its smallest prime factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Number {
    /// The number, 2 or more.
    pub value: u32,
    /// Its smallest prime factor; `None` if the number is prime.
    pub factor: Option<u32>,
}

/// The numbers sieved at a time. Their marks, two bytes for each odd number, fit into a cache.
const SEGMENT: u32 = 1 << 16;

/// Each number from `first`, or from 2 if that is more, up to and without `end`.
pub fn numbers(first: u32, end: u32) -> impl Iterator<Item = Number> {
    let first = first.max(2);
    let primes = odd_primes(end.isqrt());
    let starts = (first..end).step_by(SEGMENT as usize);
    starts.flat_map(move |start| segment(start, start.saturating_add(SEGMENT).min(end), &primes))
}

/// The numbers of one segment, given the odd primes up to the square root of its end.
fn segment(first: u32, end: u32, primes: &[u16]) -> impl Iterator<Item = Number> + use<> {
    // `factors[i]` belongs to the odd number `base + 2i`; 0 stands for no factor.
    let base = first | 1;
    let mut factors = vec![0_u16; (end.saturating_sub(base) as usize).div_ceil(2)];
    // From the largest prime down: the smallest writes last, so that nothing is read before it is written.
    for &prime in primes.iter().rev() {
        let skipped = (first_odd_multiple(prime.into(), base.into()) - u64::from(base)) / 2;
        if let Some(rest) = usize::try_from(skipped).ok().and_then(|skipped| factors.get_mut(skipped..)) {
            // Index i + prime stands for the next odd multiple, 2 * prime further on.
            rest.iter_mut().step_by(prime.into()).for_each(|factor| *factor = prime);
        }
    }
    (first..end).map(move |value| {
        let factor = match value % 2 {
            0 if value == 2 => None,
            0 => Some(2),
            _ => Some(factors[((value - base) / 2) as usize]).filter(|&factor| factor != 0).map(u32::from),
        };
        Number { value, factor }
    })
}

/// The first odd multiple of an odd `prime` from its square on, or from `base` if that is more.
fn first_odd_multiple(prime: u64, base: u64) -> u64 {
    let multiple = (prime * prime).max(base.next_multiple_of(prime));
    if multiple.is_multiple_of(2) { multiple + prime } else { multiple }
}

/// The odd primes up to and with `limit`, which is at most 65,535.
fn odd_primes(limit: u32) -> Vec<u16> {
    let limit = u16::try_from(limit).unwrap_or(u16::MAX);
    let mut primes: Vec<u16> = Vec::new();
    for candidate in (3..=limit).step_by(2) {
        let is_prime = primes
            .iter()
            .take_while(|&&prime| u32::from(prime).pow(2) <= u32::from(candidate))
            .all(|prime| candidate % prime != 0);
        if is_prime {
            primes.push(candidate);
        }
    }
    primes
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The smallest divisor above 1, found by trying all.
    fn naive(value: u32) -> Number {
        Number { value, factor: (2..value).find(|&divisor| value.is_multiple_of(divisor)) }
    }

    #[test]
    fn agrees_with_trying_every_divisor() {
        for (first, end) in [(0, 2000), (1, 10), (2, 3), (997, 1010), (65_500, 65_600), (7, 7), (9, 3)] {
            let expected: Vec<_> = (first.max(2)..end).map(naive).collect();
            assert_eq!(numbers(first, end).collect::<Vec<_>>(), expected, "{first}..{end}");
        }
    }

    #[test]
    fn does_not_depend_on_where_segments_begin() {
        let whole: Vec<_> = numbers(2, 3 * SEGMENT).collect();
        for first in [3, SEGMENT - 1, SEGMENT, SEGMENT + 1, 2 * SEGMENT + 7] {
            assert!(numbers(first, 3 * SEGMENT).eq(whole[first as usize - 2..].iter().copied()), "{first}");
        }
    }

    #[test]
    fn reaches_the_end_of_32_bits() {
        // The largest prime below 2^32 and the largest square of a prime below it.
        let last: Vec<_> = numbers(u32::MAX - 6, u32::MAX).filter(|number| number.factor.is_none()).collect();
        assert_eq!(last, [Number { value: 4_294_967_291, factor: None }]);
        let square = 65_521 * 65_521;
        assert!(numbers(square, square + 1).eq([Number { value: square, factor: Some(65_521) }]));
    }
}
