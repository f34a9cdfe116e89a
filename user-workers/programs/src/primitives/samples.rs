//! Batches and events, timed, by the rules of every row (docs/MECHANISMS.md).

use abi::series::{FEWEST, WARM_UPS};
use abi::task::{HEADER_WORDS, Header, Orders};

use crate::worker::runtime::tsc;

/// What a batch or an event found of its operations.
#[derive(Clone, Copy, Default)]
pub struct Tally {
    /// Those that were done, by their answers.
    pub done: u64,
    /// Those that were not.
    pub wrong: u64,
    /// The first wrong answer.
    pub first_wrong: u64,
}

impl Tally {
    /// Counts `units` that were done if `answer` is right.
    #[inline(always)]
    pub fn see(&mut self, answer: u64, right: u64, units: u64) {
        if answer == right {
            self.done += units;
        } else {
            if self.wrong == 0 {
                self.first_wrong = answer;
            }
            self.wrong += 1;
        }
    }
}

/// The samples of a row, and what its header says.
pub struct Samples<'a> {
    orders: Orders,
    /// What the client leaves beside the samples.
    pub header: Header,
    samples: &'a mut [u64],
}

impl<'a> Samples<'a> {
    /// No samples yet, in this memory.
    pub fn new(orders: Orders, memory: &'a mut [u64]) -> Self {
        let most = memory.len().min(orders.samples as usize);
        let samples = &mut memory[..most];
        // Touches all of it before the first sample.
        samples.fill(u64::MAX);
        Self { orders, header: Header::default(), samples }
    }

    /// Times batches of `body`, which does as many operations as it is given. `settle` follows each batch, untimed.
    pub fn batches(&mut self, body: &mut dyn FnMut(u64) -> Tally, settle: &mut dyn FnMut(u64) -> Tally) {
        let deadline = tsc().saturating_add(self.orders.budget_cycles);
        let (cold, tally) = timed(1, body);
        self.header.cold = cold;
        self.see_outside(1, tally, settle);
        let mut n = 1;
        while n < 1 << 30 {
            let (cycles, tally) = timed(n, body);
            self.see_outside(n, tally, settle);
            if cycles >= self.orders.batch_cycles {
                break;
            }
            n *= 2;
        }
        for _ in 0..WARM_UPS {
            if tsc() < deadline {
                let (_, tally) = timed(n, body);
                self.see_outside(n, tally, settle);
            }
        }
        self.header.n = n;
        let left_out = self.orders.short;
        let mut count = 0;
        while count < self.samples.len() && (count < FEWEST as usize || tsc() < deadline) {
            let made = n - left_out;
            let (cycles, tally) = timed(made, body);
            self.samples[count] = cycles;
            self.see(tally);
            self.see_wrong(settle(made));
            count += 1;
        }
        self.header.count = count as u64;
    }

    /// Times events: `event` returns a sample in cycles and what it found. Each has `units` operations.
    pub fn events(&mut self, most: usize, units: u64, event: &mut dyn FnMut() -> (u64, Tally)) {
        let deadline = tsc().saturating_add(self.orders.budget_cycles);
        for turn in 0..WARM_UPS {
            if turn == 0 || tsc() < deadline {
                let (cycles, tally) = event();
                if turn == 0 {
                    self.header.cold = cycles;
                }
                self.header.outside += units;
                self.see_wrong(tally);
            }
        }
        self.header.n = 1;
        let mut left_out = self.orders.short;
        let most = self.samples.len().min(most);
        let mut count = 0;
        while count < most && (count < FEWEST as usize || tsc() < deadline) {
            // The sample of an event that is left out is that of the one before it.
            if left_out > 0 && count > 0 {
                left_out -= 1;
                self.samples[count] = self.samples[count - 1];
            } else {
                let (cycles, tally) = event();
                self.samples[count] = cycles;
                self.see(tally);
            }
            count += 1;
        }
        self.header.count = count as u64;
    }

    fn see_outside(&mut self, operations: u64, tally: Tally, settle: &mut dyn FnMut(u64) -> Tally) {
        self.header.outside += operations;
        self.see_wrong(tally);
        self.see_wrong(settle(operations));
    }

    fn see(&mut self, tally: Tally) {
        self.header.done = self.header.done.wrapping_add(tally.done);
        self.see_wrong(tally);
    }

    /// Counts what is wrong, which no part of a row may be.
    fn see_wrong(&mut self, tally: Tally) {
        if self.header.wrong == 0 {
            self.header.first_wrong = tally.first_wrong;
        }
        self.header.wrong = self.header.wrong.saturating_add(tally.wrong);
    }
}

/// Writes the header before the samples.
pub fn leave(header: &Header, place: &mut [u64]) {
    place[..HEADER_WORDS].copy_from_slice(&header.words());
}

/// The cycles of a batch, and what it found.
fn timed(n: u64, body: &mut dyn FnMut(u64) -> Tally) -> (u64, Tally) {
    let begin = tsc();
    let tally = body(n);
    let end = tsc();
    (end.saturating_sub(begin), tally)
}
