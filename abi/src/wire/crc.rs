//! The checksum of a line: CRC-32 as IEEE 802.3 has it, reflected, as `cksum -o 3` and zlib compute it.
//!
//! The host reads gigabytes of lines, and uses a crate whose tables have 16 KiB. The kernel writes a few hundred of them and
//! would be a twentieth smaller without that table: it has one of 1 KiB.

/// The checksum of `bytes`.
#[cfg(not(target_os = "none"))]
pub(super) fn crc32(bytes: &[u8]) -> u32 {
    crc32fast::hash(bytes)
}

#[cfg(target_os = "none")]
pub(super) use by_byte as crc32;

/// The same, a byte at a time.
#[cfg(any(target_os = "none", test))]
pub(super) fn by_byte(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| crc >> 8 ^ TABLE[usize::from(crc.to_le_bytes()[0] ^ byte)])
}

/// What each byte contributes.
#[cfg(any(target_os = "none", test))]
static TABLE: [u32; 256] = {
    /// The polynomial, its least power first.
    const POLYNOMIAL: u32 = 0xedb8_8320;
    let mut table = [0_u32; 256];
    let (mut byte, mut number) = (0, 0_u32);
    while byte < table.len() {
        let (mut rest, mut bit) = (number, 0);
        while bit < 8 {
            rest = (rest >> 1) ^ ((rest & 1) * POLYNOMIAL);
            bit += 1;
        }
        table[byte] = rest;
        byte += 1;
        number += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn is_the_check_value_of_the_standard() {
        // Of the nine digits, as every catalogue of CRCs lists it.
        assert_eq!(by_byte(b"123456789"), 0xcbf4_3926);
        assert_eq!(by_byte(b""), 0);
    }

    proptest! {
        #[test]
        fn the_kernel_and_the_host_compute_the_same(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            prop_assert_eq!(by_byte(&bytes), crc32(&bytes));
        }
    }
}
