//! Pseudorandom numbers that are the same for the same seed on every machine and in every version, since seeds and
//! digests are part of results.
//!
//! Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014. Not from a crate: its next
//! version may give another sequence.

/// What the counter of [`SplitMix64`] grows by at each step.
const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

/// Spreads a number's bits over all 64. A bijection, so that distinct numbers have distinct images: the digests of
/// answers are sums of these.
///
/// One step of [`SplitMix64`] from the seed `number`. The constants are Stafford's variant 13.
#[must_use]
pub const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(STEP);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The generator SplitMix64.
#[derive(Clone, Debug)]
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence of `seed`.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn draw(&mut self) -> u64 {
        let number = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        number
    }

    /// A number below `n`, by the high half of a product: its bias is below n / 2^64. 0 if `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        let product = u128::from(self.draw()) * (n as u128);
        usize::try_from(product >> 64).unwrap_or(0)
    }

    /// Shuffles `items` (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let other = self.below(last + 1);
            items.swap(last, other);
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::vec::Vec;

    use super::*;

    #[test]
    fn generates_the_published_sequence() {
        let mut random = SplitMix64::new(1_234_567);
        let first: Vec<u64> = (0..3).map(|_| random.draw()).collect();
        assert_eq!(first, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
    }

    #[test]
    fn a_shuffle_loses_nothing_and_gives_every_order() {
        let mut random = SplitMix64::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..200 {
            let mut items = [1, 2, 3];
            random.shuffle(&mut items);
            seen.insert(items);
        }
        assert_eq!(seen.len(), 6);
        assert!(seen.iter().all(|items| items.iter().sum::<i32>() == 6));
        random.shuffle::<u8>(&mut []);
        assert_eq!(random.below(0), 0);
    }
}
