//! SHA-256 digests. In records and plans they are 64 lower-case hexadecimal digits.

use core::fmt;

use sha2::Digest as _;

/// A SHA-256 digest (FIPS 180-4).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(sha2::Sha256::digest(bytes).into())
    }

    /// Reads 64 lower-case hexadecimal digits; `None` for anything else.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        Self::read_hex(text.as_bytes())
    }

    /// The same of text as bytes.
    pub(crate) fn read_hex(text: &[u8]) -> Option<Self> {
        if text.len() != 64 || !is_lower_hex(text) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
            *byte = hex_value(pair[0]) << 4 | hex_value(pair[1]);
        }
        Some(Self(bytes))
    }
}

/// Whether all bytes are lower-case hexadecimal digits. No branch depends on a digit: they are random.
pub(crate) fn is_lower_hex(text: &[u8]) -> bool {
    let is_digit = |&byte: &u8| byte.wrapping_sub(b'0') < 10 || byte.wrapping_sub(b'a') < 6;
    text.iter().fold(true, |all, byte| all & is_digit(byte))
}

/// The value of a lower-case hexadecimal digit: letters are from 61H on, decimal digits from 30H on.
pub(crate) const fn hex_value(digit: u8) -> u8 {
    (digit & 0xf) + 9 * (digit >> 6)
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A digest in progress.
#[derive(Clone, Default)]
pub struct Hasher(sha2::Sha256);

impl fmt::Write for Hasher {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.update(text.as_bytes());
        Ok(())
    }
}

impl Hasher {
    /// Adds `bytes`.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The digest of all bytes added so far. More can be added after this.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest(self.0.clone().finalize().into())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    #[test]
    fn digests_the_standards_example() {
        assert_eq!(Digest::of(b"abc").to_string(), ABC);
        assert_eq!(Digest::from_hex(ABC), Some(Digest::of(b"abc")));
    }

    #[test]
    fn hashes_in_pieces_as_in_one() {
        let mut hasher = Hasher::default();
        hasher.update(b"a");
        hasher.update(b"bc");
        assert_eq!(hasher.digest(), Digest::of(b"abc"));
    }

    #[test]
    fn rejects_digests_that_are_not_canonical() {
        for bad in ["", "00", &ABC.to_uppercase(), &ABC[1..], &ABC.replace('b', "g"), "é"] {
            assert_eq!(Digest::from_hex(bad), None, "{bad}");
        }
    }
}
