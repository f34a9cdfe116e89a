//! Hashing of numbers that logs choose: quick, and with a seed that no log knows, so that none can make its numbers collide.

use std::hash::{BuildHasher, Hasher, RandomState};

use abi::random::mix;

/// A hasher for numbers, with a seed of its own.
#[derive(Clone, Debug)]
pub(super) struct Seeded(u64);

impl Default for Seeded {
    fn default() -> Self {
        Self(RandomState::new().hash_one(0))
    }
}

impl BuildHasher for Seeded {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        self.clone()
    }
}

impl Hasher for Seeded {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(8) {
            let mut number = [0; 8];
            number[..piece.len()].copy_from_slice(piece);
            self.write_u64(u64::from_le_bytes(number));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = mix(self.0 ^ number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_differ_by_number_and_by_seed() {
        let (one, other) = (Seeded::default(), Seeded::default());
        assert_eq!(one.hash_one(7_u64), one.hash_one(7_u64));
        assert_ne!(one.hash_one(7_u64), one.hash_one(8_u64));
        assert_ne!(one.hash_one(7_u64), other.hash_one(7_u64));
        assert_ne!(one.hash_one("a"), one.hash_one("b"));
    }
}
