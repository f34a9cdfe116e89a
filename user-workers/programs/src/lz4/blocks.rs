//! Blocks of the corpus in LZ4's block format, by the crate `lz4_flex`.

use super::digest::fingerprint;

/// The size of a block: one period of the corpus. Smaller blocks would have different kinds of data, and different costs.
pub const BLOCK_BYTES: usize = corpus::PERIOD * corpus::PIECE_BYTES;

/// The most bytes that a block is compressed to.
pub const MOST_BYTES: usize = lz4_flex::block::get_maximum_output_size(BLOCK_BYTES);

/// Compresses a block. Returns the number of bytes; 0 if `out` is too small.
#[inline(never)]
pub fn compress(block: &[u8], out: &mut [u8]) -> usize {
    lz4_flex::block::compress_into(block, out).unwrap_or(0)
}

/// Decompresses a block. Returns the number of bytes; 0 if it is damaged.
#[inline(never)]
pub fn decompress(packed: &[u8], out: &mut [u8]) -> usize {
    lz4_flex::block::decompress_into(packed, out).unwrap_or(0)
}

/// The part of a block in a digest: its bytes and its number.
pub fn part(bytes: &[u8], number: u64) -> u64 {
    abi::random::mix(fingerprint(bytes) ^ abi::random::mix(number))
}
