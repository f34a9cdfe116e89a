//! Sums over all candidates that a whole may have, worked out once: the ends of any part are looked up.
//!
//! Owns the bound on what a log can make the reference compute. The table grows block by block to the largest end that
//! was asked for, at most to [`LARGEST_END`], and never shrinks: a bit for each odd number and three numbers for each
//! block, 2.2 MiB at most. Past it, a question costs one block's sieve at each end of the part. The sums of counts and
//! divisions and the primes do not depend on the challenge. The sums of digests do, and are kept for one challenge.

use abi::random::mix;

use super::sieve::{BLOCK, Block};

/// The largest end of a whole: about three times that of the largest manifest in this repository, with six times its
/// divisions, which keep one CPU busy for half a minute. The whole table takes 52 ms (release build, EPYC at 2.1 GHz).
pub const LARGEST_END: u32 = 1 << 25;

/// 64-bit words of the bitmap in a block: a bit for each odd number.
const WORDS: usize = BLOCK as usize / 128;

/// What there is below a candidate.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Below {
    /// Primes.
    pub primes: u64,
    /// Trial divisions.
    pub divisions: u64,
}

/// The table.
#[derive(Debug)]
pub struct Table {
    /// How many blocks are in it.
    blocks: u32,
    /// Below each block's first candidate, and below the end of the last block.
    below: Vec<Below>,
    /// For each odd number from 1 on, whether it is prime.
    primes: Vec<u64>,
    /// The challenge that the digests are of.
    challenge: u64,
    /// The sum of the digests of primes below each block's first candidate.
    digests: Vec<u64>,
    /// The last block that was sieved.
    block: Block,
    /// How many blocks were sieved, for the test of the bound.
    sieved: u64,
}

impl Table {
    /// The table with nothing in it.
    pub fn new() -> Self {
        Self {
            blocks: 0,
            below: vec![Below::default()],
            primes: Vec::new(),
            challenge: 0,
            digests: vec![0],
            block: Block::first(LARGEST_END),
            sieved: 1,
        }
    }

    /// What there is below `candidate`, which is at most [`LARGEST_END`].
    pub fn below(&mut self, candidate: u32) -> Below {
        let number = self.cover(candidate);
        let mut sum = self.below[number as usize];
        if candidate > number * BLOCK {
            self.sieve(number);
            add(&mut sum, &self.block, candidate);
        }
        sum
    }

    /// The sum, modulo 2^64, of the digests of all primes below `candidate`, which is at most [`LARGEST_END`].
    pub fn digest_below(&mut self, candidate: u32, challenge: u64) -> u64 {
        let number = self.cover(candidate) as usize;
        if challenge != self.challenge {
            self.challenge = challenge;
            self.digests.truncate(1);
        }
        while self.digests.len() <= number {
            let block = self.digests.len() - 1;
            let sum = digests(&self.primes, block * WORDS, WORDS * 64, challenge);
            self.digests.push(self.digests[block].wrapping_add(sum));
        }
        let odds = (candidate as usize - number * BLOCK as usize) / 2;
        let two = if candidate > 2 { mix(2 ^ challenge) } else { 0 };
        let whole = self.digests[number].wrapping_add(two);
        whole.wrapping_add(digests(&self.primes, number * WORDS, odds, challenge))
    }

    /// The first candidate from `first` on with at least `divisions` below it, or `end` if there is none before it.
    pub fn first_with(&mut self, first: u32, end: u32, divisions: u64) -> u32 {
        let last = self.cover(end);
        let after = self.below[..=last as usize].partition_point(|below| below.divisions < divisions);
        let block = u32::try_from(after.saturating_sub(1)).unwrap_or(last);
        if after > last as usize && self.below(end).divisions < divisions {
            return end;
        }
        self.sieve(block);
        let start = self.below[block as usize].divisions;
        first_in(&self.block, start, divisions).max(first.max(2)).min(end)
    }

    /// Grows the table so that `candidate` is in it. Returns the number of its block.
    fn cover(&mut self, candidate: u32) -> u32 {
        let number = candidate.min(LARGEST_END) / BLOCK;
        // The block of `candidate` itself must have its bits, unless there is nothing after it.
        let needed = candidate.min(LARGEST_END).div_ceil(BLOCK);
        while self.blocks < needed {
            let next = self.blocks;
            self.sieve(next);
            let end = (next + 1) * BLOCK;
            let mut sum = self.below[next as usize];
            add(&mut sum, &self.block, end);
            self.below.push(sum);
            let factors = self.block.odd_factors(next * BLOCK, end);
            self.primes.extend(factors.chunks_exact(64).map(bits));
            self.blocks += 1;
        }
        if needed > 0 {
            // 1 has no factor, and is no prime.
            self.primes[0] &= !1;
        }
        number
    }

    fn sieve(&mut self, number: u32) {
        if self.block.base() != number * BLOCK {
            self.block.go_to(number);
            self.sieved += 1;
        }
    }
}

/// A bit for each of 64 factors: whether there is none.
fn bits(factors: &[u16]) -> u64 {
    factors.iter().rev().fold(0, |word, &factor| word << 1 | u64::from(factor == 0))
}

/// The digests of the primes among `odds` odd numbers from the word `from` of the bitmap on.
fn digests(primes: &[u64], from: usize, odds: usize, challenge: u64) -> u64 {
    let mut sum = 0_u64;
    for (at, &word) in primes[from..].iter().take(odds.div_ceil(64)).enumerate() {
        let left = odds - at * 64;
        let mut word = if left < 64 { word & ((1 << left) - 1) } else { word };
        let base = (from + at) as u64 * 128 + 1;
        while word != 0 {
            let prime = base + 2 * u64::from(word.trailing_zeros());
            sum = sum.wrapping_add(mix(prime ^ challenge));
            word &= word - 1;
        }
    }
    sum
}

/// Adds the candidates of `block` below `end`.
fn add(sum: &mut Below, block: &Block, end: u32) {
    let base = block.base();
    // Even numbers take one division each, except 2, which is prime.
    let evens = u64::from(end.div_ceil(2) - base / 2);
    let (none, two) = if base == 0 { (evens.min(2), u64::from(end > 2)) } else { (0, 0) };
    sum.divisions += evens - none;
    sum.primes += two;
    let mut root = Root::of(base);
    for (odd, &factor) in (base | 1..).step_by(2).zip(block.odd_factors(base, end)) {
        sum.divisions += root.divisions(odd, factor);
        sum.primes += u64::from(factor == 0 && odd > 1);
    }
}

/// The first candidate of `block` with at least `divisions` below it, if `below` are below the block; the block's end
/// if there is none.
fn first_in(block: &Block, mut below: u64, divisions: u64) -> u32 {
    let base = block.base();
    let mut root = Root::of(base);
    for (odd, &factor) in (base | 1..).step_by(2).zip(block.odd_factors(base, base + BLOCK)) {
        if below >= divisions {
            return odd - 1;
        }
        below += u64::from(odd > 3);
        if below >= divisions {
            return odd;
        }
        below += root.divisions(odd, factor);
    }
    base + BLOCK
}

/// The integer square root of ascending numbers.
struct Root(u32);

impl Root {
    fn of(number: u32) -> Self {
        Self(number.isqrt())
    }

    /// The number of divisions of `odd`, which is not below the odd numbers asked for before: by 2, and by each odd
    /// number from 3 on up to where the worker stops, its smallest factor or, for a prime, its root. None if the square
    /// of 2 is already more than the number.
    fn divisions(&mut self, odd: u32, factor: u16) -> u64 {
        while u64::from(self.0 + 1).pow(2) <= u64::from(odd) {
            self.0 += 1;
        }
        let last = if factor == 0 { self.0 } else { factor.into() };
        if last < 2 { 0 } else { 1 + u64::from(last - 1) / 2 }
    }
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;

    /// The candidates, one by one.
    fn naive(end: u32, challenge: u64) -> (Below, u64) {
        let (mut below, mut digest) = (Below::default(), 0_u64);
        for candidate in 2..end {
            let mut divisor = 2;
            while divisor * divisor <= candidate && candidate % divisor != 0 {
                below.divisions += 1;
                divisor += if divisor == 2 { 1 } else { 2 };
            }
            if divisor * divisor > candidate {
                below.primes += 1;
                digest = digest.wrapping_add(mix(u64::from(candidate) ^ challenge));
            } else {
                below.divisions += 1;
            }
        }
        (below, digest)
    }

    #[test]
    fn agrees_with_dividing_every_candidate() {
        let mut table = Table::new();
        let near = [1, 2].map(|blocks| blocks * BLOCK).into_iter().flat_map(|end| end - 2..end + 3);
        for end in (0..40).chain(near).chain([50_000]) {
            for challenge in [0, 7, u64::MAX] {
                let (below, digest) = naive(end, challenge);
                assert_eq!(table.below(end), below, "{end}");
                assert_eq!(table.digest_below(end, challenge), digest, "{end}, challenge {challenge}");
            }
        }
    }

    #[test]
    fn finds_the_first_candidate_with_enough_divisions_below() {
        let mut table = Table::new();
        let end = 2 * BLOCK + 77;
        let total = table.below(end).divisions;
        let mut random = SplitMix64::new(3);
        let some = (0..60).map(|_| random.draw() % (total + 2)).collect::<Vec<_>>();
        for divisions in some.into_iter().chain([0, 1, 2, total - 1, total, total + 1]) {
            let found = table.first_with(2, end, divisions);
            let enough = |table: &mut Table, candidate| table.below(candidate).divisions >= divisions;
            assert!(found == end || enough(&mut table, found), "{divisions}: {found} has too few");
            assert!(found <= 2 || !enough(&mut table, found - 1), "{divisions}: {found} is not the first");
        }
    }

    #[test]
    fn knows_the_published_count_of_primes_below_its_end() {
        // 2^25: sequence A007053 of the On-Line Encyclopedia of Integer Sequences.
        assert_eq!(Table::new().below(LARGEST_END).primes, 2_063_689);
    }

    #[test]
    fn sieves_each_block_once_and_then_one_for_each_question() {
        let mut table = Table::new();
        let blocks = u64::from(LARGEST_END / BLOCK);
        table.below(LARGEST_END);
        assert!(table.sieved <= blocks + 1);
        let mut random = SplitMix64::new(5);
        for challenge in 0..200 {
            let before = table.sieved;
            let candidate = u32::try_from(random.draw() % u64::from(LARGEST_END + 1)).unwrap();
            table.below(candidate);
            table.digest_below(candidate, challenge);
            table.first_with(2, LARGEST_END, random.draw());
            assert!(table.sieved <= before + 3, "another challenge is no other sieve");
        }
        assert_eq!(table.below.len() as u64, blocks + 1);
    }
}
