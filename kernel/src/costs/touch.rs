//! The first store to memory that the hypervisor may not have backed yet, and the second.

use core::sync::atomic::Ordering;

use abi::CpuId;
use abi::series::{SeriesRow, Unavailable, WARM_UPS};
use harness::platform::{Words, unavailable};
use harness::sampler::{BUDGET_US, Book, Measured, Place, Sampler, Tally};
use harness::x86::{cpuid, tsc};

use super::{Floor, LARGE_PAGE};
use crate::mem::frames;

/// A part of the memory that is left, which a row takes at most.
const PART: u64 = 8;
/// The word of a page that is stored to.
const STORED: usize = 1;

pub fn rows(here: CpuId, sampler: &mut Sampler<'_>, book: &mut Book, floor: &mut Floor<'_>) {
    let small = [SeriesRow::Touch4k, SeriesRow::Touch4kAgain];
    let large = [SeriesRow::Touch2m, SeriesRow::Touch2mAgain];
    // Without a hypervisor memory is there from the start, and holds what it held before the reset.
    if !cpuid::has_hypervisor() {
        for rows in [small, large] {
            unavailable(&rows, here, Unavailable::NotOffered, book, floor);
        }
        return;
    }
    for (rows, bytes) in [(large, LARGE_PAGE), (small, 4096)] {
        let most = sampler.room() as u64 + u64::from(WARM_UPS);
        let pages = (frames().untouched_bytes() / PART / bytes).min(most);
        let words = frames().words(pages * bytes, bytes);
        match words {
            Ok(words) if pages > u64::from(WARM_UPS) => {
                touch(rows, here, words, bytes, sampler, book, floor);
            }
            _ => unavailable(&rows, here, Unavailable::Memory, book, floor),
        }
    }
}

/// Stores to each page once, then once more.
fn touch(
    rows: [SeriesRow; 2],
    here: CpuId,
    words: Words,
    bytes: u64,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    floor: &mut Floor<'_>,
) {
    let of_page = usize::try_from(bytes / 8).unwrap_or(usize::MAX);
    let warm = usize::try_from(WARM_UPS).unwrap_or(0);
    for (row, value) in rows.into_iter().zip(1_u64..) {
        let place = Place::of(row, here);
        let mut pages = words.chunks_exact(of_page);
        let cold = sampler.warm_up(|| pages.next().map(|page| store(page, value)));
        let left = u32::try_from(words.len() / of_page - warm).unwrap_or(0);
        let first_timed = words.len() / of_page - pages.len();
        let taken = sampler.events(row, left, BUDGET_US, || pages.next().map(|page| store(page, value)));
        let Ok(count) = taken else {
            book.none(floor, place, Unavailable::TooSlow);
            continue;
        };
        let mut tally = Tally::default();
        for page in words.chunks_exact(of_page).skip(first_timed).take(count) {
            let elsewhere = [&page[STORED - 1], &page[STORED + 1], &page[of_page - 1]];
            tally.done += u64::from(page[STORED].load(Ordering::Relaxed) == value);
            tally.wrong += u64::from(elsewhere.iter().any(|word| word.load(Ordering::Relaxed) != 0));
        }
        let measured = Measured { n: 1, cold, due: count as u64, tally };
        book.emit(floor, place, measured, sampler.samples(count));
    }
}

/// One timed store.
fn store(page: &[core::sync::atomic::AtomicU64], value: u64) -> u64 {
    let begin = tsc::read_ordered();
    page[STORED].store(value, Ordering::Relaxed);
    tsc::read_ordered().saturating_sub(begin)
}
