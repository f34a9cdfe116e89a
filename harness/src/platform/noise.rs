//! Gaps between two readings of the TSC, on every CPU at once: what takes a CPU away without its knowledge shows as time in
//! which it did not run.

use abi::CpuId;
use abi::plan::Platform;
use abi::series::{BUCKETS, GAP_US, SeriesRow, Unavailable, bucket};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::Ordering;
use spin::Mutex;

use super::{Field, Job, Pages, Words};
use crate::clock::Clock;
use crate::sampler::{Book, Measured, Place, Range, Tally};
use crate::x86::tsc;

/// How long a CPU may take beyond its window, in microseconds.
const GRACE_US: u64 = 5_000_000;

/// What one CPU has seen.
#[derive(Clone, Copy)]
struct Seen {
    range: Range,
    /// From the first reading to the last, in cycles.
    window: u64,
    tally: Tally,
}

pub(super) fn rows(cpus: &[CpuId], asked: &Platform, clock: &Clock, book: &mut Book, field: &mut impl Field) {
    let row = SeriesRow::HwNoise;
    let mut books = Vec::new();
    for &cpu in cpus {
        match field.memory(8 * u64::from(BUCKETS), Pages::Small) {
            Some(words) => books.push((cpu, words, Arc::new(Mutex::new(None::<Seen>)))),
            None => book.none(field, Place::of(row, cpu), Unavailable::Memory),
        }
    }
    let (short, window_us) = (asked.short.has(row), u64::from(asked.noise_ms) * 1000);
    let job: Job = {
        let (books, clock) = (books.clone(), *clock);
        Arc::new(move |cpu| {
            if let Some((_, words, seen)) = books.iter().find(|(one, ..)| *one == cpu) {
                *seen.lock() = Some(look(words, window_us, short, &clock));
            }
        })
    };
    let chosen: Vec<_> = books.iter().map(|(cpu, ..)| *cpu).collect();
    let _all = field.run_on(&chosen, window_us + GRACE_US, &job);
    for (cpu, words, seen) in &books {
        let place = Place::of(row, *cpu).arg(asked.noise_ms.into());
        // A CPU that did not come back may hold its lock.
        let seen = seen.try_lock().and_then(|seen| *seen);
        let Some(Seen { range, window, tally }) = seen else {
            book.none(field, place, Unavailable::CpuLost);
            continue;
        };
        let counts = words.iter().zip(0..BUCKETS).map(|(count, at)| (at, count.load(Ordering::Relaxed)));
        let measured = Measured { n: 1, cold: 0, due: window, tally };
        book.emit_gaps(field, place, measured, range, counts.filter(|&(_, count)| count > 0));
    }
}

/// Reads the TSC for `window_us`. What was done is the sum of the gaps and of the rest, each added by itself.
fn look(words: Words, window_us: u64, short: bool, clock: &Clock) -> Seen {
    for word in words {
        word.store(0, Ordering::Relaxed);
    }
    let (gap, length) = (clock.cycles(GAP_US), clock.cycles(window_us));
    let (mut range, mut rest, mut wrong) = (Range::default(), 0_u64, 0);
    let first = tsc::read_ordered();
    let (mut last, mut skip) = (first, short);
    while last.saturating_sub(first) < length {
        let now = tsc::read();
        wrong += u64::from(now < last);
        let distance = now.saturating_sub(last);
        last = now;
        if distance < gap {
            // A shortened row does not add one distance.
            if !core::mem::replace(&mut skip, false) {
                rest += distance;
            }
        } else {
            words[usize::from(bucket(distance))].fetch_add(1, Ordering::Relaxed);
            range.min = if range.count == 0 { distance } else { range.min.min(distance) };
            range.max = range.max.max(distance);
            range.count += 1;
            range.sum += distance;
        }
    }
    Seen { range, window: last.saturating_sub(first), tally: Tally { done: range.sum + rest, wrong } }
}
