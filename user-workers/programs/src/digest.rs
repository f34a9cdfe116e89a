//! What a digest of a result is made of.

use abi::random::mix;

/// The odd multiplier of a step: 2^64 divided by the golden ratio.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// A 64-bit fingerprint of bytes, for outputs that are compared and need no cryptography: eight bytes at a time. It depends on every byte, on their order and on their number.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let mut words = bytes.chunks_exact(8);
    let step = |sum: u64, word: u64| (sum ^ word).wrapping_mul(MULTIPLIER).rotate_left(29);
    let mut sum = words.by_ref().fold(bytes.len() as u64, |sum, word| {
        step(sum, word.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte)))
    });
    for &byte in words.remainder() {
        sum = step(sum, byte.into());
    }
    sum ^ sum >> 32
}

/// Binds a sum to the challenge: what the parts of a whole give adds up to what the whole gives.
pub const fn bind(sum: u64, challenge: u64) -> u64 {
    sum.wrapping_mul(mix(challenge) | 1)
}

/// A chunk's digest with the challenge, which can be taken out again: each word by exclusive or with a word of the
/// challenge's own.
pub fn mask(mut digest: [u8; 32], challenge: u64) -> [u8; 32] {
    for (number, word) in (0..).zip(digest.chunks_exact_mut(8)) {
        let key = mix(challenge ^ mix(number)).to_le_bytes();
        for (byte, key) in word.iter_mut().zip(key) {
            *byte ^= key;
        }
    }
    digest
}
