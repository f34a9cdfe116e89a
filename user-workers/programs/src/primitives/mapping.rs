//! The client's rows of memory: pages that are made or mapped when they are touched, and pages that it maps itself.

use abi::series::{SeriesRow, touched_pages};
use abi::stub::Op;
use abi::task::{END, Header, LAZY_AT, LAZY_PAGES, MAPPED_AT, Orders};

use super::client::Client;
use super::pages;
use super::samples::Tally;
use super::stub::{call, call2, call3};
use crate::worker::runtime::tsc;

impl Client<'_> {
    /// Stores to pages that are made when they are touched.
    pub(super) fn faults(&mut self) -> Header {
        let mut lazy = 0..LAZY_PAGES;
        let mut samples = self.samples();
        samples.events(LAZY_PAGES as usize - abi::series::WARM_UPS as usize, 1, &mut || {
            let mut tally = Tally::default();
            let Some(number) = lazy.next() else { return (0, tally) };
            let page = LAZY_AT + number * pages::BYTES;
            let begin = tsc();
            pages::store(page, 0, number + 1);
            let end = tsc();
            let zeros = (1..pages::WORDS).all(|word| pages::load(page, word) == 0);
            tally.see(u64::from(zeros && pages::load(page, 0) == number + 1), 1, 1);
            (end.saturating_sub(begin), tally)
        });
        samples.header
    }

    /// Loads from pages that a server maps. Each page has its number in it.
    pub(super) fn served_faults(&mut self) -> Header {
        const PAGES: u64 = 512;
        let Orders { handle: door, other: memory, right: is_served, .. } = self.orders;
        let challenge = self.challenge;
        let page = |number| MAPPED_AT + number * pages::BYTES;
        call3(Op::Map, memory, MAPPED_AT, PAGES);
        (0..PAGES).for_each(|number| pages::store(page(number), 0, number ^ challenge));
        call3(Op::Unmap, memory, MAPPED_AT, PAGES);
        let faults_pass = call(Op::FaultTo, door) == 0;
        let mut next = 0;
        let mut samples = self.samples();
        samples.events(usize::MAX, 1, &mut || {
            let mut tally = Tally::default();
            let number = next % PAGES;
            next += 1;
            let begin = tsc();
            let found = pages::load(page(number), 0);
            let end = tsc();
            let unmapped = call3(Op::Unmap, memory, page(number), 1) == 0;
            tally.see(found, if faults_pass && unmapped { number ^ challenge } else { !found }, 1);
            (end.saturating_sub(begin), tally)
        });
        if is_served == 1 {
            samples.header.outside += 1;
            let _ended = call2(Op::Call, door, END);
        }
        samples.header
    }

    /// `map`, `protect` and `unmap`: each pass does all of them, and times one.
    pub(super) fn mappings(&mut self, row: SeriesRow) -> Header {
        let Orders { arg: count, handle, right, .. } = self.orders;
        let challenge = self.challenge;
        let page = |number| MAPPED_AT + number * pages::BYTES;
        let holds = |number| pages::load(page(number), 0) == number ^ challenge;
        call3(Op::Map, handle, MAPPED_AT, count);
        (0..count).for_each(|number| pages::store(page(number), 0, number ^ challenge));
        call3(Op::Unmap, handle, MAPPED_AT, count);
        let mut samples = self.samples();
        if row != SeriesRow::Protect {
            samples.header.outside += count;
        }
        samples.events(usize::MAX, count, &mut || {
            let mut tally = Tally::default();
            let (mut mapped, mut protected, mut unmapped) =
                (Timed::default(), Timed::default(), Timed::default());
            mapped.time(|| call3(Op::Map, handle, MAPPED_AT, count));
            // Also loads the translations.
            let held = (0..count).filter(|&number| holds(number)).count() as u64;
            if row == SeriesRow::Protect {
                protected.time(|| call3(Op::Protect, handle, MAPPED_AT, count));
            }
            unmapped.time(|| call3(Op::Unmap, handle, MAPPED_AT, count));
            let Timed { cycles, answer } = match row {
                SeriesRow::Map => mapped,
                SeriesRow::Protect => protected,
                _ => unmapped,
            };
            tally.see(answer, right, held);
            (cycles, tally)
        });
        samples.header
    }

    /// Pages are mapped, the first ones are stored to, and all are taken out, in one sample. Then they are mapped once more, and
    /// what was stored must be there.
    pub(super) fn touched_mappings(&mut self) -> Header {
        let Orders { arg: count, handle, right, .. } = self.orders;
        let touched = touched_pages(count);
        let page = |number| MAPPED_AT + number * pages::BYTES;
        let mut word = self.challenge;
        let mut samples = self.samples();
        samples.events(usize::MAX, touched, &mut || {
            word = word.wrapping_add(1);
            let mut tally = Tally::default();
            let begin = tsc();
            let mapped = call3(Op::MapLazy, handle, MAPPED_AT, count);
            (0..touched).for_each(|number| pages::store(page(number), 0, word ^ number));
            let unmapped = call3(Op::Unmap, handle, MAPPED_AT, count);
            let end = tsc();
            let again = call3(Op::Map, handle, MAPPED_AT, count);
            let held =
                (0..touched).filter(|&number| pages::load(page(number), 0) == word ^ number).count() as u64;
            let away = call3(Op::Unmap, handle, MAPPED_AT, count);
            let all = [again == mapped, unmapped == 0, away == 0];
            tally.see(if all == [true; 3] { mapped } else { !right }, right, held);
            (end.saturating_sub(begin), tally)
        });
        samples.header
    }
}

/// A call that was timed.
#[derive(Clone, Copy, Default)]
struct Timed {
    cycles: u64,
    answer: u64,
}

impl Timed {
    #[inline(always)]
    fn time(&mut self, operation: impl FnOnce() -> u64) {
        let begin = tsc();
        self.answer = operation();
        self.cycles = tsc().saturating_sub(begin);
    }
}
