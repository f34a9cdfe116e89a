//! The reference against the program's own calls.

use super::*;
use crate::digest::program as digest;
use blocks::{MOST_BYTES, compress, decompress, part};

// The very files that the programs are built from.
#[path = "../../../programs/src/lz4/blocks.rs"]
mod blocks;

#[test]
fn agrees_with_the_workers_own_code() {
    let mut block = vec![0; blocks::BLOCK_BYTES];
    let (mut packed, mut plain) = (vec![0; MOST_BYTES], vec![0; blocks::BLOCK_BYTES]);
    for number in 0..3 {
        corpus::fill(&mut block, 0, number * 4);
        let bytes = compress(&block, &mut packed);
        let task = Lz4Compress { first: number, end: number + 1 };
        let digest_of = |bytes: &[u8]| bind(part(bytes, number), 9);
        let expected = Expectation { answer: bytes as u64, work: 1, digest: digest_of(&packed[..bytes]) };
        assert_eq!(task.expectation(9), expected);
        let bytes = decompress(&packed[..bytes], &mut plain);
        let task = Lz4Decompress { first: number, end: number + 1 };
        let expected = Expectation { answer: bytes as u64, work: 1, digest: digest_of(&plain) };
        assert_eq!(task.expectation(9), expected);
    }
}

#[test]
fn a_damaged_block_and_too_little_room_give_nothing() {
    let mut block = vec![0; BLOCK_BYTES];
    corpus::fill(&mut block, 0, 0);
    let mut packed = vec![0; MOST_BYTES];
    let bytes = compress(&block, &mut packed);
    assert_eq!(compress(&block, &mut [0; 100]), 0);
    assert_eq!(decompress(&packed[..bytes / 2], &mut [0; 100]), 0);
}

/// Blocks have one cost each, so that a part of them is a part of the work.
#[test]
fn blocks_shrink_alike() {
    let sizes: Vec<u64> =
        (0..16).map(|number| Lz4Compress { first: number, end: number + 1 }.expectation(0).answer).collect();
    let (least, most) = (sizes.iter().min().unwrap(), sizes.iter().max().unwrap());
    assert!(most - least < least / 25, "{sizes:?}");
    assert!((1.9..2.1).contains(&(BLOCK_BYTES as f64 / *least as f64)), "{sizes:?}");
}
