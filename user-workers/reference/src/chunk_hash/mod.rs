//! `chunk-hash`: the SHA-256 of each chunk of the corpus, by the crate `cryptoxide`. The program uses `sha2`, or
//! instructions of the CPU.

#[cfg(test)]
mod tests;

use abi::Digest;
use abi::grant::{Feature, FeatureSet};
use abi::random::mix;
use cryptoxide::hashing::sha2::Sha256;

use crate::digest::{bind, mask};
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

/// The size of a chunk in bytes.
const CHUNK_BYTES: usize = corpus::PIECE_BYTES;

/// The most chunks: the corpus has 16 MiB then.
const MOST_CHUNKS: u64 = 256;

/// The digests of chunks.
static DIGESTS: Kept<u64, [u8; 32]> = Kept::new(256);

/// The build with the CPU's instructions for SHA.
const SHA_NI: FeatureSet = FeatureSet::NONE.with(Feature::ShaNi);

crate::parameters! {
    /// Hashing chunks of 64 KiB.
    pub struct ChunkHash {
        /// The first chunk.
        first: {
            key: "first-chunk",
            expected: "a whole number below 256",
            fits: |whole| whole.first < MOST_CHUNKS,
        },
        /// The end of the chunks, itself not one.
        end: {
            key: "end-chunk",
            expected: "a whole number above the first chunk and at most 256",
            fits: |whole| whole.first < whole.end && whole.end <= MOST_CHUNKS,
        },
    }
}

impl Task for ChunkHash {
    const NAME: &'static str = "chunk-hash";

    const UNITS: Units = Units { answer: "hashed bytes", work: "chunks of 64 KiB" };

    const NEEDS: Needs = Needs { builds: &[SHA_NI], ..Needs::NONE };

    fn example() -> Self {
        Self { first: 2, end: 13 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let of_chunk = |number| Expectation {
            answer: CHUNK_BYTES as u64,
            work: 1,
            digest: bind(leaf(&digest(number), number), challenge),
        };
        (self.first..self.end.min(MOST_CHUNKS)).map(of_chunk).sum()
    }

    fn corpus_bytes(&self) -> u64 {
        self.end.min(MOST_CHUNKS) * CHUNK_BYTES as u64
    }

    fn chunk_count(&self) -> u64 {
        self.end.min(MOST_CHUNKS).saturating_sub(self.first)
    }

    fn chunks(&self, challenge: u64) -> Vec<Digest> {
        let digests = (self.first..self.end.min(MOST_CHUNKS)).map(digest);
        digests.map(|digest| Digest(mask(digest, challenge))).collect()
    }
}

/// The SHA-256 of a chunk of the corpus.
fn digest(number: u64) -> [u8; 32] {
    DIGESTS.get(number, || {
        let mut chunk = vec![0; CHUNK_BYTES];
        corpus::fill(&mut chunk, 0, number);
        Sha256::new().update(&chunk).finalize()
    })
}

/// The part of a chunk in the slot's digest: the first eight bytes of its SHA-256, and its number.
fn leaf(digest: &[u8; 32], number: u64) -> u64 {
    let first = digest.first_chunk().map_or(0, |&bytes| u64::from_le_bytes(bytes));
    mix(first ^ mix(number))
}
