//! The latency of memory, by the size of what is read and by the size of pages.

use abi::CpuId;
use abi::series::place::LEAST_BUFFER;
use abi::series::{SeriesRow, Unavailable};

use super::chain::Chain;
use super::{Field, Words};
use crate::sampler::{Book, Place, Sampler, Shape};

/// The seed of the cycles. Any will do; the same on every system.
const SEED: u64 = 0x6d65_6d5f_6c61_7431;
/// The samples of each size, and the least that one takes: a batch goes through a large buffer far enough.
const SHAPE: Shape = Shape { batches: 11, least_us: 1_000, most: 1 << 30, budget_us: 500_000 };

pub(super) fn rows(
    here: CpuId,
    buffers: [Option<Words>; 2],
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    field: &mut impl Field,
) {
    let rows = [SeriesRow::MemLat4k, SeriesRow::MemLat2m];
    for (row, words) in rows.into_iter().zip(buffers) {
        let Some(words) = words else {
            book.none(field, Place::of(row, here), Unavailable::Memory);
            continue;
        };
        let mut bytes = LEAST_BUFFER;
        while bytes <= 8 * words.len() as u64 {
            size(row, here, words, bytes, sampler, book, field);
            bytes *= 2;
        }
    }
}

fn size(
    row: SeriesRow,
    here: CpuId,
    words: Words,
    bytes: u64,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    field: &mut impl Field,
) {
    let place = Place::of(row, here).arg(bytes);
    let part = usize::try_from(bytes / 8).ok().and_then(|part| words.get(..part));
    let Some(part) = part else { return book.none(field, place, Unavailable::Memory) };
    let mut chain = Chain::link(part, SEED);
    // Brings the buffer into the caches that hold it.
    chain.follow(bytes / 64);
    chain.tally(bytes / 64);
    let taken = sampler.batches(row, SHAPE, &mut |n| {
        chain.follow(n);
        chain.tally(n)
    });
    match taken {
        Ok(taken) => book.emit(field, place, taken.into(), sampler.samples(taken.count)),
        Err(reason) => book.none(field, place, reason),
    }
}
