//! The bandwidth of memory: CPUs that read, write or copy their parts of one buffer at once. A sample is the time from the
//! moment at which the first CPU lets all begin to the moment at which it sees the last one end.

use abi::CpuId;
use abi::series::place::counts;
use abi::series::{BANDWIDTH_WARM_UPS, SeriesRow, Unavailable, due};
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use spin::Mutex;

use super::{Field, Job, Words};
use crate::clock::Clock;
use crate::sampler::{Book, Measured, Place, Sampler, Tally};
use crate::x86::tsc;

/// The samples of a row.
const PASSES: usize = 11;
/// The passes before them.
const WARM: usize = 2;
const _: () = assert!(WARM as u64 == BANDWIDTH_WARM_UPS);
/// How long CPUs wait for each other, in microseconds.
const PATIENCE_US: u64 = 5_000_000;
/// How long a row takes, in microseconds, if its machine is not so slow that the fewest samples take longer.
const BUDGET_US: u64 = 1_000_000;

pub(super) fn rows(
    cpus: &[CpuId],
    buffer: Option<Words>,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    field: &mut impl Field,
) {
    let rows = [SeriesRow::MemRead, SeriesRow::MemWrite, SeriesRow::MemCopy];
    let Some(words) = buffer else {
        return super::unavailable(&rows, cpus[0], Unavailable::Memory, book, field);
    };
    for row in rows {
        for count in counts(cpus.len()) {
            let short = sampler.shortens(row);
            pass(row, &cpus[..count], words, short, sampler.clock(), book, field);
        }
    }
}

fn pass(
    row: SeriesRow,
    cpus: &[CpuId],
    words: Words,
    short: bool,
    clock: &Clock,
    book: &mut Book,
    field: &mut impl Field,
) {
    let place = Place::of(row, cpus[0]).arg(cpus.len() as u64);
    let work = Arc::new(Work::new(row, words, cpus.len(), short));
    let led = Arc::new(Mutex::new(None));
    let job: Job = {
        let (work, led, cpus, clock) = (Arc::clone(&work), Arc::clone(&led), cpus.to_vec(), *clock);
        Arc::new(move |cpu| {
            let Some(part) = cpus.iter().position(|&one| one == cpu) else { return };
            let timed = work.run(part, &clock);
            if part == 0 {
                *led.lock() = timed;
            }
        })
    };
    if !field.run_on(cpus, 2 * PATIENCE_US, &job) {
        return book.none(field, place, Unavailable::CpuLost);
    }
    let led: Option<Timed> = led.lock().take();
    let Some(Timed { cold, mut samples }) = led.filter(|led| led.samples.len() >= FEWEST) else {
        return book.none(field, place, Unavailable::TooSlow);
    };
    let tally = Tally { done: work.sum.load(Ordering::Acquire), wrong: 0 };
    let due = due(row, place.arg, work.moved(), samples.len() as u64).unwrap_or(0);
    let measured = Measured { n: work.moved(), cold, due, tally };
    book.emit(field, place, measured, &mut samples);
}

/// The fewest samples of a row.
const FEWEST: usize = abi::series::FEWEST as usize;

/// The words by which a copy is farther from its original than half of the part: a page and a line, so that a load and the
/// store of its copy differ in the address bits by which caches and translations are found.
const APART: usize = 520;

/// What the first CPU has timed.
struct Timed {
    cold: u64,
    samples: Vec<u64>,
}

/// What the CPUs share.
struct Work {
    row: SeriesRow,
    words: Words,
    cpus: usize,
    short: bool,
    /// How often a CPU has come to a place at which all wait for each other.
    arrived: AtomicU64,
    /// The pass that the first CPU lets all begin, from 1.
    pass: AtomicU64,
    /// Set before such a place: no pass follows.
    over: AtomicBool,
    /// The sums that all CPUs found in the passes that count.
    sum: AtomicU64,
}

impl Work {
    const fn new(row: SeriesRow, words: Words, cpus: usize, short: bool) -> Self {
        let [arrived, pass, sum] = [const { AtomicU64::new(0) }; 3];
        Self { row, words, cpus, short, arrived, pass, over: AtomicBool::new(false), sum }
    }

    /// The words of one CPU's part: the same for all, and even, so that it has two halves to copy between.
    const fn part(&self) -> usize {
        self.words.len() / self.cpus / 2 * 2
    }

    /// The words that one CPU copies, from the beginning of its part to the end: as many as let the two be half of the part
    /// and [`APART`] words from each other.
    const fn copied(&self) -> usize {
        (self.part() / 2).saturating_sub(APART)
    }

    /// The words that one CPU moves in a pass.
    fn moved_by_one(&self) -> usize {
        if self.row == SeriesRow::MemCopy { self.copied() } else { self.part() }
    }

    /// The words that all CPUs move in a pass.
    fn moved(&self) -> u64 {
        (self.moved_by_one() * self.cpus) as u64
    }

    /// One CPU's passes. All that is returned counts on the first CPU alone; `None` if a CPU did not come.
    fn run(&self, part: usize, clock: &Clock) -> Option<Timed> {
        let words = self.words.chunks_exact(self.part().max(1)).nth(part)?;
        let deadline = tsc::read().saturating_add(clock.cycles(BUDGET_US));
        let (mut samples, mut cold, mut step) = (Vec::with_capacity(PASSES), 0, 0);
        for pass in 1..=WARM + PASSES {
            let number = pass as u64;
            if self.row != SeriesRow::MemWrite {
                write(words, number);
            }
            if part == 0 && samples.len() >= FEWEST && tsc::read() >= deadline {
                self.over.store(true, Ordering::Release);
            }
            self.meet(&mut step, clock)?;
            if self.over.load(Ordering::Acquire) {
                break;
            }
            let begin = self.begin(part, number, clock)?;
            let read = self.go(words, number);
            self.meet(&mut step, clock)?;
            let took = tsc::read_ordered().saturating_sub(begin);
            let sum = match self.row {
                SeriesRow::MemRead => read,
                SeriesRow::MemWrite => sum(words),
                _ => sum(&words[words.len() - self.copied()..]),
            };
            if pass > WARM {
                samples.push(took);
                self.sum.fetch_add(sum, Ordering::AcqRel);
            } else if pass == 1 {
                cold = took;
            }
        }
        Some(Timed { cold, samples })
    }

    /// Lets all CPUs begin a pass, once they have met. The first one reads its clock before, so that none begins earlier.
    fn begin(&self, part: usize, number: u64, clock: &Clock) -> Option<u64> {
        if part == 0 {
            let begin = tsc::read_ordered();
            self.pass.store(number, Ordering::Release);
            return Some(begin);
        }
        let begun = clock.spin_until(PATIENCE_US, || self.pass.load(Ordering::Acquire) >= number);
        begun.then(tsc::read)
    }

    /// What is timed. Returns the sum of what was read.
    fn go(&self, words: &[AtomicU64], number: u64) -> u64 {
        // A shortened row leaves out the last word of each part.
        let whole = words.len() - usize::from(self.short);
        match self.row {
            SeriesRow::MemRead => return sum(&words[..whole]),
            SeriesRow::MemWrite => write(&words[..whole], number),
            _ => {
                let (from, to) = (&words[..self.copied()], &words[words.len() - self.copied()..]);
                copy(from, &to[..to.len() - usize::from(self.short)]);
            }
        }
        0
    }

    /// Waits until all CPUs have come to the next place.
    fn meet(&self, step: &mut u64, clock: &Clock) -> Option<()> {
        *step += self.cpus as u64;
        self.arrived.fetch_add(1, Ordering::AcqRel);
        clock.spin_until(PATIENCE_US, || self.arrived.load(Ordering::Acquire) >= *step).then_some(())
    }
}

// Four words a turn, written out: how far a compiler unrolls a loop must not decide what a row measures.

#[inline(never)]
fn sum(words: &[AtomicU64]) -> u64 {
    let (fours, rest) = words.as_chunks();
    let load = |word: &AtomicU64| word.load(Ordering::Relaxed);
    let (mut even, mut odd) = (0_u64, 0_u64);
    for [a, b, c, d] in fours {
        even = even.wrapping_add(load(a)).wrapping_add(load(c));
        odd = odd.wrapping_add(load(b)).wrapping_add(load(d));
    }
    rest.iter().map(load).fold(even.wrapping_add(odd), u64::wrapping_add)
}

#[inline(never)]
fn write(words: &[AtomicU64], mut number: u64) {
    let (fours, rest) = words.as_chunks();
    for [a, b, c, d] in fours {
        a.store(number, Ordering::Relaxed);
        b.store(number.wrapping_add(1), Ordering::Relaxed);
        c.store(number.wrapping_add(2), Ordering::Relaxed);
        d.store(number.wrapping_add(3), Ordering::Relaxed);
        number = number.wrapping_add(4);
    }
    for (word, number) in rest.iter().zip(number..) {
        word.store(number, Ordering::Relaxed);
    }
}

#[inline(never)]
fn copy(from: &[AtomicU64], to: &[AtomicU64]) {
    let length = from.len().min(to.len());
    let ((fours, rest), (to_fours, to_rest)) = (from[..length].as_chunks(), to[..length].as_chunks());
    let one = |from: &AtomicU64, to: &AtomicU64| to.store(from.load(Ordering::Relaxed), Ordering::Relaxed);
    for ([a, b, c, d], [i, j, k, l]) in fours.iter().zip(to_fours) {
        one(a, i);
        one(b, j);
        one(c, k);
        one(d, l);
    }
    rest.iter().zip(to_rest).for_each(|(from, to)| one(from, to));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(count: usize) -> Vec<AtomicU64> {
        (0..count).map(|_| AtomicU64::new(0)).collect()
    }

    fn values(words: &[AtomicU64]) -> Vec<u64> {
        words.iter().map(|word| word.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn writes_copies_and_sums_every_word_of_any_length() {
        for count in 0..14 {
            let (from, to) = (words(count), words(count));
            write(&from, 100);
            let wanted: Vec<u64> = (100..).take(count).collect();
            assert_eq!(values(&from), wanted);
            assert_eq!(sum(&from), wanted.iter().sum::<u64>());
            copy(&from, &to);
            assert_eq!(values(&to), wanted);
        }
    }

    #[test]
    fn a_copy_is_not_a_power_of_two_from_its_original() {
        let words: Words = Vec::leak(words(1 << 16));
        for cpus in [1, 2, 4, 8] {
            let work = Work::new(SeriesRow::MemCopy, words, cpus, false);
            let apart = work.part() - work.copied();
            assert_eq!(apart, work.part() / 2 + APART, "{cpus}");
            assert!(2 * work.copied() < work.part() && work.copied() > 0, "{cpus}");
        }
    }

    #[test]
    fn a_copy_that_is_cut_short_leaves_out_its_last_word_alone() {
        let (from, to) = (words(9), words(9));
        write(&from, 1);
        copy(&from, &to[..7]);
        assert_eq!(values(&to), [1, 2, 3, 4, 5, 6, 7, 0, 0]);
    }
}
