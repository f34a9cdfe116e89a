//! Rows: binary records of 16 bytes: a counter, a value that wanders, a Zipf-distributed key, a kind.

use abi::random::{SplitMix64, mix};

use crate::words::{below, zipf};

/// The size of a row.
const ROW_BYTES: usize = 16;

/// Fills `out` with rows.
pub fn rows(out: &mut [u8], seed: u64) {
    let mut random = SplitMix64::new(mix(seed));
    let mut value = 0_u64;
    for (number, row) in (0_u32..).zip(out.chunks_mut(ROW_BYTES)) {
        value = value.wrapping_add(below(&mut random, 129)).wrapping_sub(64);
        let mut bytes = [0; ROW_BYTES];
        bytes[..4].copy_from_slice(&number.to_le_bytes());
        bytes[4..8].copy_from_slice(&value.to_le_bytes()[..4]);
        bytes[8..12].copy_from_slice(&zipf(&mut random).to_le_bytes()[..4]);
        bytes[12] = below(&mut random, 4).to_le_bytes()[0];
        row.copy_from_slice(&bytes[..row.len()]);
    }
}
