//! The rows of two CPUs that pass a line to each other.

use abi::CpuId;
use abi::series::place::MOST_PAIRED;
use abi::series::{EVENTS, SeriesRow, Unavailable};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::hint;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::{Field, Job, Pages, Words, buffer};
use crate::clock::Clock;
use spin::Mutex;

use crate::sampler::{BUDGET_US, Book, Measured, Place, Sampler, Shape, Taken, Tally};
use crate::x86::tsc;

/// The most round trips in a sample.
const ROUND_TRIPS: u64 = 1024;
/// How long one answer is waited for, in microseconds. The other vCPU may wait for a host CPU meanwhile.
const ANSWER_US: u64 = 1_000_000;
/// The polls between two looks at the clock.
const POLLS: u32 = 1 << 12;
/// How long a pair may take, in microseconds.
const PATIENCE_US: u64 = 20_000_000;
/// How long the samples of a pair take at most, in microseconds.
const PAIR_BUDGET_US: u64 = 700_000;
/// Bytes of the page that a pair has for itself.
const PAGE: u64 = 4096;

/// The number that is passed, and the stamp of who passed it: words of one line.
const NUMBER: usize = 0;
const STAMP: usize = 1;

pub(super) fn rows(cpus: &[CpuId], sampler: &mut Sampler<'_>, book: &mut Book, field: &mut impl Field) {
    let here = cpus[0];
    if cpus.len() < 2 {
        let rows = [SeriesRow::TscOrder, SeriesRow::CoreToCore];
        return super::unavailable(&rows, here, Unavailable::OneCpu, book, field);
    }
    for &peer in &cpus[1..] {
        pair(SeriesRow::TscOrder, here, peer, sampler, book, field);
    }
    let all = &cpus[..cpus.len().min(MOST_PAIRED)];
    let pairs: Vec<_> =
        all.iter().enumerate().flat_map(|(at, &a)| all[at + 1..].iter().map(move |&b| (a, b))).collect();
    for (a, b) in pairs {
        pair(SeriesRow::CoreToCore, a, b, sampler, book, field);
    }
}

/// Measures one pair and emits it.
fn pair(
    row: SeriesRow,
    first: CpuId,
    second: CpuId,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    field: &mut impl Field,
) {
    let place = Place::of(row, first).with(second);
    // A page of its own for each pair: where a line lives decides what it costs.
    let Some(line) = field.memory(PAGE, Pages::Small) else {
        return book.none(field, place, Unavailable::Memory);
    };
    let (clock, short) = (*sampler.clock(), sampler.shortens(row));
    let samples = buffer(sampler.room());
    let (table, brought) = (Arc::new(Table::new(line)), Arc::new(Mutex::new(samples)));
    let result = Arc::new(Mutex::new(Err(Unavailable::CpuLost)));
    let job: Job = {
        let (table, brought, result) = (Arc::clone(&table), Arc::clone(&brought), Arc::clone(&result));
        Arc::new(move |cpu| {
            if cpu == first {
                *result.lock() = table.lead(row, short, &clock, &mut brought.lock());
                table.stop.store(true, Ordering::Release);
            } else if row == SeriesRow::CoreToCore {
                table.answer(&clock);
            } else {
                table.answer_with_stamps(&clock);
            }
        })
    };
    // A CPU that does not come back keeps its locks.
    if !field.run_on(&[first, second], PATIENCE_US, &job) {
        return book.none(field, place, Unavailable::CpuLost);
    }
    let result = *result.lock();
    match result {
        Ok(measured) => book.emit(field, place, measured, &mut brought.lock()),
        Err(reason) => book.none(field, place, reason),
    }
}

/// The line between two CPUs.
struct Table {
    line: Words,
    arrived: AtomicU64,
    stop: AtomicBool,
    /// Stamps of the first CPU that are ahead of the second one's clock.
    backward: AtomicU64,
}

impl Table {
    fn new(line: Words) -> Self {
        line[NUMBER].store(0, Ordering::Release);
        Self { line, arrived: AtomicU64::new(0), stop: AtomicBool::new(false), backward: AtomicU64::new(0) }
    }

    /// Waits for the other CPU.
    fn meet(&self, clock: &Clock) -> bool {
        self.arrived.fetch_add(1, Ordering::AcqRel);
        clock.spin_until(ANSWER_US, || self.arrived.load(Ordering::Acquire) >= 2)
    }

    /// The first CPU's part.
    fn lead(
        &self,
        row: SeriesRow,
        short: bool,
        clock: &Clock,
        samples: &mut Vec<u64>,
    ) -> Result<Measured, Unavailable> {
        if !self.meet(clock) {
            return Err(Unavailable::CpuLost);
        }
        let asked = abi::plan::Platform {
            noise_ms: 0,
            short: if short { abi::series::Shortened::All } else { abi::series::Shortened::None },
            samples: false,
        };
        let mut sampler = Sampler::new(clock, samples, &asked);
        let (measured, count) = match row {
            SeriesRow::CoreToCore => {
                let shape = Shape { most: ROUND_TRIPS, budget_us: PAIR_BUDGET_US, ..Shape::BATCHES };
                let taken = sampler.batches(row, shape, &mut |n| self.round_trips(n, clock))?;
                let Taken { n, cold, count, tally } = taken;
                // Each side adds one.
                (Measured { n, cold, due: 2 * n * count as u64, tally }, count)
            }
            _ => self.stamps(row, clock, &mut sampler)?,
        };
        samples.truncate(count);
        Ok(measured)
    }

    /// `n` round trips. What was done is how far the number in the line has come.
    fn round_trips(&self, n: u64, clock: &Clock) -> Tally {
        let begin = self.line[NUMBER].load(Ordering::Acquire);
        let (mut wrong, mut number) = (0, begin);
        for _ in 0..n {
            number += 1;
            self.line[NUMBER].store(number, Ordering::Release);
            match self.wait(number, clock) {
                Some(answer) if answer == number + 1 => number = answer,
                Some(answer) => {
                    wrong += 1;
                    number = answer;
                }
                None => {
                    wrong += 1;
                    break;
                }
            }
        }
        Tally { done: self.line[NUMBER].load(Ordering::Acquire).wrapping_sub(begin), wrong }
    }

    /// Stamps to the second CPU and back. A sample is how far this CPU's clock is ahead of the stamp that it receives.
    fn stamps(
        &self,
        row: SeriesRow,
        clock: &Clock,
        sampler: &mut Sampler<'_>,
    ) -> Result<(Measured, usize), Unavailable> {
        let mut wrong = 0;
        let cold = sampler.warm_up(|| self.pass(clock, &mut wrong));
        (wrong, _) = (0, self.backward.swap(0, Ordering::AcqRel));
        let begin = self.line[NUMBER].load(Ordering::Acquire);
        let count = sampler.events(row, EVENTS, BUDGET_US / 4, || self.pass(clock, &mut wrong))?;
        let done = self.line[NUMBER].load(Ordering::Acquire).wrapping_sub(begin);
        let wrong = wrong + self.backward.load(Ordering::Acquire);
        let measured = Measured { n: 1, cold, due: 2 * count as u64, tally: Tally { done, wrong } };
        Ok((measured, count))
    }

    fn pass(&self, clock: &Clock, wrong: &mut u64) -> Option<u64> {
        let number = self.line[NUMBER].load(Ordering::Acquire) + 1;
        self.line[STAMP].store(tsc::read_ordered(), Ordering::Relaxed);
        self.line[NUMBER].store(number, Ordering::Release);
        let answer = self.wait(number, clock);
        let now = tsc::read_ordered();
        let stamp = self.line[STAMP].load(Ordering::Relaxed);
        *wrong += u64::from(answer != Some(number + 1) || now < stamp);
        // A clock that goes backwards has no distance; 0 is no figure.
        answer.map(|_| now.saturating_sub(stamp))
    }

    /// Waits until the number in the line is not `last`; `None` if that takes too long.
    fn wait(&self, last: u64, clock: &Clock) -> Option<u64> {
        let mut deadline = None;
        loop {
            for _ in 0..POLLS {
                let number = self.line[NUMBER].load(Ordering::Acquire);
                if number != last {
                    return Some(number);
                }
                hint::spin_loop();
            }
            let now = tsc::read();
            if now > *deadline.get_or_insert(now.saturating_add(clock.cycles(ANSWER_US))) {
                return None;
            }
        }
    }

    /// The second CPU's part: it adds one to each odd number.
    fn answer(&self, clock: &Clock) {
        if !self.meet(clock) {
            return;
        }
        let mut last = 0;
        while let Some(number) = self.wait_or_stop(last, clock) {
            last = number + 1;
            self.line[NUMBER].store(last, Ordering::Release);
        }
    }

    /// The same, with its own stamp beside the number.
    fn answer_with_stamps(&self, clock: &Clock) {
        if !self.meet(clock) {
            return;
        }
        let mut last = 0;
        while let Some(number) = self.wait_or_stop(last, clock) {
            let now = tsc::read_ordered();
            if now < self.line[STAMP].load(Ordering::Relaxed) {
                self.backward.fetch_add(1, Ordering::AcqRel);
            }
            self.line[STAMP].store(now, Ordering::Relaxed);
            last = number + 1;
            self.line[NUMBER].store(last, Ordering::Release);
        }
    }

    /// The next number; `None` when the first CPU has stopped, or does not go on.
    fn wait_or_stop(&self, last: u64, clock: &Clock) -> Option<u64> {
        let mut deadline = None;
        loop {
            for _ in 0..POLLS {
                let number = self.line[NUMBER].load(Ordering::Acquire);
                if number != last {
                    return Some(number);
                }
                hint::spin_loop();
            }
            let now = tsc::read();
            let late = now > *deadline.get_or_insert(now.saturating_add(clock.cycles(5 * ANSWER_US)));
            if late || self.stop.load(Ordering::Acquire) {
                return None;
            }
        }
    }
}
