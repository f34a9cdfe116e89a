//! What the digests of results are made of, from its definition.

use abi::random::mix;

/// The fingerprint of `bytes`: each word of eight little-endian bytes, and then each byte that is left, is added by
/// exclusive or, multiplied, and rotated.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let inputs =
        words.iter().map(|&word| u64::from_le_bytes(word)).chain(rest.iter().map(|&byte| byte.into()));
    let mut sum = bytes.len() as u64;
    for input in inputs {
        sum = (sum ^ input).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    }
    sum ^ sum >> 32
}

/// Binds a sum to a challenge: what the parts of a whole give adds up to what the whole gives.
pub fn bind(sum: u64, challenge: u64) -> u64 {
    sum.wrapping_mul(mix(challenge) | 1)
}

/// A chunk's digest with the challenge: each of its four words by exclusive or with a word of the challenge's own. The same
/// again takes it out.
pub fn mask(digest: [u8; 32], challenge: u64) -> [u8; 32] {
    let key: Vec<u8> = (0..4).flat_map(|word| mix(challenge ^ mix(word)).to_le_bytes()).collect();
    std::array::from_fn(|at| digest[at] ^ key[at])
}

/// The very file that the programs are built from.
#[cfg(test)]
#[path = "../../programs/src/digest.rs"]
pub mod program;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_the_programs_own_code() {
        let bytes: Vec<u8> = (0..100).collect();
        for end in 0..bytes.len() {
            assert_eq!(fingerprint(&bytes[..end]), program::fingerprint(&bytes[..end]), "{end} bytes");
        }
        let digest = std::array::from_fn(|at| bytes[at]);
        for challenge in [0, 1, u64::MAX] {
            assert_eq!(bind(77, challenge), program::bind(77, challenge));
            assert_eq!(mask(digest, challenge), program::mask(digest, challenge));
            assert_eq!(mask(mask(digest, challenge), challenge), digest);
        }
    }

    #[test]
    fn every_byte_their_order_and_their_number_count() {
        let all =
            [&b"abcdefghij"[..], b"bacdefghij", b"abcdefghji", b"abcdefghi", b"abcdefghij\0", b"", b"\0"];
        let prints: std::collections::BTreeSet<_> = all.into_iter().map(fingerprint).collect();
        assert_eq!(prints.len(), all.len());
    }
}
