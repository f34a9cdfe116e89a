//! The rows of one CPU that need no privilege: the empty body, readings of the TSC, CPUID.

use abi::CpuId;
use abi::series::{EVENTS, SeriesRow, Unavailable};
use core::hint::black_box;

use crate::sampler::{BUDGET_US, Book, Measured, Place, Sampler, Shape, Tally};
use crate::sink::Sink;
use crate::x86::{cpuid, tsc};

pub(super) fn rows<S: Sink + ?Sized>(here: CpuId, sampler: &mut Sampler<'_>, book: &mut Book, sink: &mut S) {
    batch(SeriesRow::OverheadBatch, here, sampler, book, sink, &mut empty);
    overhead_event(here, sampler, book, sink);
    batch(SeriesRow::TscRead, here, sampler, book, sink, &mut |n| readings(n, tsc::read));
    if tsc::has_rdtscp() {
        batch(SeriesRow::TscReadP, here, sampler, book, sink, &mut |n| readings(n, tsc::read_p));
    } else {
        book.none(sink, Place::of(SeriesRow::TscReadP, here), Unavailable::NotOffered);
    }
    batch(SeriesRow::TscFenced, here, sampler, book, sink, &mut |n| readings(n, tsc::read_ordered));
    let first = cpuid::maximum();
    batch(SeriesRow::ExitCpuid, here, sampler, book, sink, &mut |n| same(n, first, cpuid::maximum));
}

/// Measures a batch row of the usual shape on one CPU, and emits it.
pub fn batch<S: Sink + ?Sized>(
    row: SeriesRow,
    here: CpuId,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    sink: &mut S,
    body: &mut dyn FnMut(u64) -> Tally,
) {
    let place = Place::of(row, here);
    match sampler.batches(row, Shape::BATCHES, body) {
        Ok(taken) => book.emit(sink, place, taken.into(), sampler.samples(taken.count)),
        Err(reason) => book.none(sink, place, reason),
    }
}

/// Reads `n` times what must always be `first`.
pub fn same<T: PartialEq>(n: u64, first: T, read: impl Fn() -> T) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..n {
        let is_same = u64::from(read() == first);
        tally.done += is_same;
        tally.wrong += 1 - is_same;
    }
    tally
}

/// Counts its passes, in memory, so that no compiler counts them for it.
fn empty(n: u64) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..n {
        tally.done = black_box(tally.done + 1);
    }
    tally
}

/// `n` readings, each of which must not be before the last one.
fn readings(n: u64, read: impl Fn() -> u64) -> Tally {
    let (mut tally, mut last) = (Tally::default(), 0);
    for _ in 0..n {
        let now = read();
        let in_order = u64::from(now >= last);
        tally.done += in_order;
        tally.wrong += 1 - in_order;
        last = now;
    }
    tally
}

fn overhead_event<S: Sink + ?Sized>(here: CpuId, sampler: &mut Sampler<'_>, book: &mut Book, sink: &mut S) {
    let row = SeriesRow::OverheadEvent;
    let mut tally = Tally::default();
    let cold = sampler.warm_up(|| two_readings(&mut tally));
    tally = Tally::default();
    match sampler.events(row, EVENTS, BUDGET_US, || two_readings(&mut tally)) {
        Ok(count) => {
            let measured = Measured { n: 1, cold, due: count as u64, tally };
            book.emit(sink, Place::of(row, here), measured, sampler.samples(count));
        }
        Err(reason) => book.none(sink, Place::of(row, here), reason),
    }
}

/// The distance of two readings.
fn two_readings(tally: &mut Tally) -> Option<u64> {
    let begin = tsc::read_ordered();
    let end = tsc::read_ordered();
    tally.done += 1;
    tally.wrong += u64::from(end <= begin);
    Some(end.saturating_sub(begin))
}
