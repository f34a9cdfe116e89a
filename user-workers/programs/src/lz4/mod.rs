//! `lz4-compress` and `lz4-decompress`: blocks of the corpus and LZ4's block format.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod blocks;

use crate::worker::digest;
use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::views::part;
use blocks::{BLOCK_BYTES, MOST_BYTES};

/// The parameters of the warm-up call: one block. The timed call makes it anew.
pub fn warm_up([first, end, ..]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(1)), 0, 0]
}

/// What a worker keeps of a block.
struct Block<'a> {
    number: u64,
    packed: &'a mut [u8],
    packed_bytes: &'a mut u64,
    plain: &'a mut [u8],
    plain_bytes: &'a mut u64,
}

/// Compresses the blocks.
pub fn compress(call: &Call, space: &mut Space<'_>) -> Outcome {
    for (block, of_corpus) in blocks(call, space.memory, space.corpus) {
        *block.packed_bytes = blocks::compress(of_corpus, block.packed) as u64;
    }
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// Decompresses the blocks, which the prepare call, [`compress`], compressed.
pub fn decompress(call: &Call, space: &mut Space<'_>) -> Outcome {
    for (block, _) in blocks(call, space.memory, space.corpus) {
        let packed = &block.packed[..*block.packed_bytes as usize];
        *block.plain_bytes = blocks::decompress(packed, block.plain) as u64;
    }
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// The prepare call of decompression.
pub fn prepare_decompress(call: &Call, space: &mut Space<'_>) {
    let _ = compress(call, space);
}

/// The digests of the compressed blocks.
pub fn verify_compress(call: &Call, space: &mut Space<'_>) -> Outcome {
    outcome(call, space, |block| &block.packed[..*block.packed_bytes as usize])
}

/// The digests of the decompressed blocks.
pub fn verify_decompress(call: &Call, space: &mut Space<'_>) -> Outcome {
    outcome(call, space, |block| &block.plain[..*block.plain_bytes as usize])
}

fn outcome(call: &Call, space: &mut Space<'_>, bytes: impl for<'a> Fn(&'a Block<'_>) -> &'a [u8]) -> Outcome {
    let mut outcome = Outcome { answer: 0, work: 0, digest: 0 };
    for (block, _) in blocks(call, space.memory, space.corpus) {
        let made = bytes(&block);
        outcome.answer += made.len() as u64;
        outcome.work += 1;
        outcome.digest = outcome.digest.wrapping_add(blocks::part(made, block.number));
    }
    Outcome { digest: bind(outcome.digest, call.challenge), ..outcome }
}

/// The blocks of a call, each with what the corpus has of it.
fn blocks<'a>(
    call: &Call,
    mut memory: &'a mut [u64],
    corpus: &'a [u8],
) -> impl Iterator<Item = (Block<'a>, &'a [u8])> {
    let [first, end, ..] = call.params;
    let of_corpus = (0..end).zip(corpus.chunks_exact(BLOCK_BYTES)).skip(first as usize);
    of_corpus.map(move |(number, of_corpus)| {
        let (packed, rest) = part(core::mem::take(&mut memory), MOST_BYTES);
        let (plain, rest) = part(rest, BLOCK_BYTES);
        let (notes, rest) = part::<u64>(rest, 2);
        let [packed_bytes, plain_bytes] = notes else { unreachable!("two were asked for") };
        memory = rest;
        (Block { number, packed, packed_bytes, plain, plain_bytes }, of_corpus)
    })
}
