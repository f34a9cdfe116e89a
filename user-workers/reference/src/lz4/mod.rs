//! `lz4-compress` and `lz4-decompress`: blocks of the corpus and LZ4's block format.
//!
//! What compression should give is made by the same encoder, since encoders differ, and believed only after the C library
//! has decoded it to the block. What decompression should give is the corpus itself.

#[cfg(test)]
mod tests;

use abi::random::mix;

use crate::digest::{bind, fingerprint};
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

/// The size of a block in bytes.
const BLOCK_BYTES: usize = corpus::PERIOD * corpus::PIECE_BYTES;

/// The most blocks: the corpus has 16 MiB then.
const MOST_BLOCKS: u64 = 64;

/// What a worker keeps of a block: the block, what it is compressed to, which can be a tenth more, and their lengths.
const KEPT_BYTES: u64 = 256 * 1024 + 282 * 1024;

/// The results of blocks.
static BLOCKS: Kept<u64, Block> = Kept::new(64);

/// Declares the task for one direction.
macro_rules! direction {
    ($Name:ident, $name:literal, $doc:literal, prepare: $prepare:literal, $units:expr, $of:expr) => {
        crate::parameters! {
            #[doc = $doc]
            pub struct $Name {
                /// The first block.
                first: {
                    key: "first-block",
                    expected: "a whole number below 64",
                    fits: |whole| whole.first < MOST_BLOCKS,
                },
                /// The end of the blocks, itself not one.
                end: {
                    key: "end-block",
                    expected: "a whole number above the first block and at most 64",
                    fits: |whole| whole.first < whole.end && whole.end <= MOST_BLOCKS,
                },
            }
        }

        impl Task for $Name {
            const NAME: &'static str = $name;

            const UNITS: Units = $units;

            const NEEDS: Needs = Needs { prepare: $prepare, verify: true, ..Needs::NONE };

            fn example() -> Self {
                Self { first: 1, end: 4 }
            }

            fn expectation(&self, challenge: u64) -> Expectation {
                let of: fn(Block) -> (u64, u64) = $of;
                let blocks = self.first..self.end.min(MOST_BLOCKS);
                let of_block = |number| {
                    let (answer, digest) = of(BLOCKS.get(number, || Block::new(number)));
                    let digest = mix(digest ^ mix(number));
                    Expectation { answer, work: 1, digest: bind(digest, challenge) }
                };
                blocks.map(of_block).sum()
            }

            fn memory_bytes(&self) -> u64 {
                self.end.saturating_sub(self.first).min(MOST_BLOCKS) * KEPT_BYTES
            }

            fn corpus_bytes(&self) -> u64 {
                self.end.min(MOST_BLOCKS) * BLOCK_BYTES as u64
            }
        }
    };
}

direction!(
    Lz4Compress,
    "lz4-compress",
    "Compression of blocks of 256 KiB.",
    prepare: false,
    Units { answer: "compressed bytes", work: "blocks of 256 KiB" },
    |block| (block.packed_bytes, block.packed)
);
direction!(
    Lz4Decompress,
    "lz4-decompress",
    "Decompression of blocks of 256 KiB.",
    prepare: true,
    Units { answer: "decompressed bytes", work: "blocks of 256 KiB" },
    |block| (BLOCK_BYTES as u64, block.plain)
);

/// What a block gives.
#[derive(Clone, Copy, Debug)]
struct Block {
    packed_bytes: u64,
    /// The fingerprint of the compressed block.
    packed: u64,
    /// The fingerprint of the block.
    plain: u64,
}

impl Block {
    /// Compresses a block of the corpus, and has the C library decode it.
    ///
    /// # Panics
    /// The decoder gives anything but the block: then this host has no reference to compare a worker with.
    fn new(number: u64) -> Self {
        let mut block = vec![0; BLOCK_BYTES];
        corpus::fill(&mut block, 0, number * corpus::PERIOD as u64);
        let mut packed = vec![0; lz4_flex::block::get_maximum_output_size(BLOCK_BYTES)];
        let bytes = lz4_flex::block::compress_into(&block, &mut packed).unwrap_or(0);
        packed.truncate(bytes);
        let size = i32::try_from(BLOCK_BYTES).ok();
        let decoded = lz4::block::decompress(&packed, size).ok();
        assert!(decoded.as_ref() == Some(&block), "LZ4 block {number}: the C library decodes something else");
        Self { packed_bytes: packed.len() as u64, packed: fingerprint(&packed), plain: fingerprint(&block) }
    }
}
