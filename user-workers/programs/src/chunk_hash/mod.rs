//! `chunk-hash`: the SHA-256 of chunks of the corpus, as storage that addresses content computes it.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

#[cfg(not(target_feature = "sha"))]
mod soft;

#[cfg(target_feature = "sha")]
mod sha_ni;

use abi::random::mix;

use crate::worker::digest::{bind, mask};
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;

#[cfg(not(target_feature = "sha"))]
use soft::sha256;

/// The SHA-256 of a chunk.
#[cfg(target_feature = "sha")]
fn sha256(chunk: &[u8]) -> [u8; 32] {
    // SAFETY: this build is for CPUs that have SHA, SSSE3 and SSE4.1, and its plan requires them.
    unsafe { sha_ni::sha256(chunk) }
}

/// The size of a chunk in bytes.
const CHUNK_BYTES: usize = 64 << 10;

/// The parameters of the warm-up call: one chunk.
pub fn warm_up([first, end, ..]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(1)), 0, 0]
}

/// Hashes the chunks of the call, in order. Each digest is a chunk of the result.
pub fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, ..] = call.params;
    let chunks = space.corpus.chunks_exact(CHUNK_BYTES);
    let mut outcome = Outcome { answer: 0, work: 0, digest: 0 };
    for (number, chunk) in (0..end).zip(chunks).skip(first as usize) {
        let digest = sha256(chunk);
        space.chunks.push(mask(digest, call.challenge));
        let [first_word, ..] = *digest.as_chunks::<8>().0 else { continue };
        outcome.digest = outcome.digest.wrapping_add(mix(u64::from_le_bytes(first_word) ^ mix(number)));
        outcome.answer += chunk.len() as u64;
        outcome.work += 1;
    }
    outcome.digest = bind(outcome.digest, call.challenge);
    outcome
}
