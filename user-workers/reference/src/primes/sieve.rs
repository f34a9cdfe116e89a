//! Blocks of candidates: for each odd number its smallest prime factor, by a segmented sieve of Eratosthenes.

/// The candidates of a block. Their marks, two bytes for each odd number, fit into a first-level cache.
pub const BLOCK: u32 = 1 << 14;

/// The odd numbers of a block.
const ODDS: usize = BLOCK as usize / 2;

/// The candidates of one block, with the smallest factors of the odd ones. Even numbers have the factor 2.
#[derive(Debug)]
pub struct Block {
    /// Its first candidate, a multiple of [`BLOCK`].
    base: u32,
    /// `factors[i]` belongs to the number `base + 2i + 1`; 0 stands for no factor up to its root.
    factors: Box<[u16; ODDS]>,
    /// The odd primes whose multiples are marked.
    primes: Vec<u16>,
}

impl Block {
    /// The first block of a sieve that reaches `end`.
    pub fn first(end: u32) -> Self {
        let mut block = Self { base: 0, factors: Box::new([0; ODDS]), primes: odd_primes(end.isqrt()) };
        block.mark();
        block
    }

    /// Its first candidate.
    pub const fn base(&self) -> u32 {
        self.base
    }

    /// Sieves the block with this number, from 0, if it is not this one.
    pub fn go_to(&mut self, number: u32) {
        let base = number * BLOCK;
        if base != self.base {
            self.base = base;
            self.mark();
        }
    }

    /// The smallest factor of each odd number from `from` to before `to`, both in or at the end of the block; 0 for a
    /// prime and for 1. The numbers ascend.
    pub fn odd_factors(&self, from: u32, to: u32) -> &[u16] {
        let [from, to] = [from, to].map(|bound| ((bound - self.base) / 2) as usize);
        self.factors.get(from..to).unwrap_or_default()
    }

    fn mark(&mut self) {
        self.factors.fill(0);
        let (base, end) = (self.base, self.base + BLOCK);
        let used = self.primes.partition_point(|&prime| u32::from(prime).pow(2) < end);
        // From the largest prime down: the smallest writes last, so that nothing is read before it is written.
        for &prime in self.primes[..used].iter().rev() {
            let skipped = (first_odd_multiple(prime.into(), base) - base) / 2;
            if let Some(rest) = self.factors.get_mut(skipped as usize..) {
                // Index i + prime stands for the next odd multiple, 2 * prime further on.
                rest.iter_mut().step_by(prime.into()).for_each(|factor| *factor = prime);
            }
        }
    }
}

/// The first odd multiple of an odd `prime` from its square on, or from `base` if that is more.
fn first_odd_multiple(prime: u32, base: u32) -> u32 {
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

    /// The smallest divisor from 3 on that is at most the root, found by trying all; 0 if there is none.
    fn naive(odd: u32) -> u16 {
        let found = (3..=odd.isqrt()).find(|&divisor| odd.is_multiple_of(divisor));
        u16::try_from(found.unwrap_or(0)).unwrap()
    }

    #[test]
    fn agrees_with_trying_every_divisor() {
        let mut block = Block::first(1 << 25);
        for number in [0, 1, 2, 17, 2047, 1, 0] {
            block.go_to(number);
            let base = number * BLOCK;
            assert_eq!(block.base(), base);
            for (from, to) in [(0, 3000), (7, 8), (8, 9), (BLOCK - 300, BLOCK), (5, 5), (BLOCK, BLOCK)] {
                let (from, to) = (base + from, base + to);
                let odds = (from..to).filter(|number| number % 2 == 1);
                let expected: Vec<u16> = odds.map(naive).collect();
                assert_eq!(block.odd_factors(from, to), expected, "{from}..{to}");
            }
        }
    }
}
