//! The client's partner: it answers until it is asked to end, and counts.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::object::Access;
use abi::series::SeriesRow;
use abi::stub::Op;
use abi::task::{END, MAPPED_AT, NO_ANSWER, Orders, SHARED_WORDS, STOP, SUM, TURNS, answer};

use super::stub::{call, call2, call3};
use super::{attacks, pages, touch};

/// What a partner counted.
#[derive(Clone, Copy, Default)]
pub struct Served {
    /// The messages or turns that it had, with the one that ended it.
    pub count: u64,
    /// Those that were not the next, or not what the client can send.
    pub wrong: u64,
}

/// What the partner of a row works with.
pub struct Partner<'a> {
    /// What it is to do.
    pub orders: Orders,
    /// The plan's challenge.
    pub challenge: u64,
    /// Memory that is touched.
    pub touched: &'a mut [u64],
    /// Memory that all tasks share.
    pub shared: &'a [AtomicU64],
}

impl Partner<'_> {
    /// Plays its part of the row.
    pub fn run(&mut self, row: SeriesRow) -> Served {
        match row {
            SeriesRow::CallSame | SeriesRow::CallCross => self.serve(),
            SeriesRow::Attack | SeriesRow::AttackCross => {
                attacks::partner(row, &self.orders, self.challenge, self.shared)
            }
            SeriesRow::FaultServed => self.map_pages(),
            SeriesRow::NotifyWake => self.signal_back(|bits, _| u64::from(!bits.is_power_of_two())),
            SeriesRow::Switch => self.take_turns(),
            SeriesRow::ShmXfer => {
                let words = self.orders.arg as usize / 8;
                self.signal_back(|_, shared| {
                    let data = &shared[SHARED_WORDS..][..words];
                    let sum =
                        data.iter().fold(0_u64, |sum, word| sum.wrapping_add(word.load(Ordering::Relaxed)));
                    shared[SUM].store(sum, Ordering::Relaxed);
                    0
                })
            }
            _ => Served::default(),
        }
    }

    /// Answers calls. A failed call ends it too: a word with the bit of [`END`], or none.
    fn serve(&self) -> Served {
        let (handle, mut served) = (self.orders.handle, Served::default());
        let (mut reply, mut last) = (NO_ANSWER, 0);
        loop {
            let word = call2(Op::Serve, handle, reply);
            served.count += 1;
            if word & END != 0 || word == 0 {
                return served;
            }
            served.wrong += u64::from(word != last + 1);
            last = word;
            reply = answer(word, self.challenge);
        }
    }

    /// Answers faults: the page of the memory that belongs to the address.
    fn map_pages(&self) -> Served {
        const PAGES: u64 = 512;
        let Orders { handle: door, other: memory, .. } = self.orders;
        let mut served = Served::default();
        let mut answer = (NO_ANSWER, 0);
        loop {
            let address = call3(Op::Serve, door, answer.0, answer.1);
            served.count += 1;
            if address & END != 0 {
                return served;
            }
            let page = address.wrapping_sub(MAPPED_AT) / pages::BYTES;
            served.wrong += u64::from(page >= PAGES);
            answer = (memory, page << 2 | Access::Write as u64);
        }
    }

    /// Waits for bits, looks at what came, and signals back.
    fn signal_back(&self, see: impl Fn(u64, &[AtomicU64]) -> u64) -> Served {
        let Orders { handle, other, .. } = self.orders;
        let mut served = Served::default();
        loop {
            let bits = call(Op::Wait, handle);
            served.count += 1;
            if bits & END != 0 {
                return served;
            }
            served.wrong += see(bits, self.shared);
            let _signalled = call2(Op::Signal, other, bits);
        }
    }

    /// Counts its turns, in shared memory, and yields after each.
    fn take_turns(&mut self) -> Served {
        let Self { orders, touched, shared, .. } = self;
        let touched = &mut touched[..orders.arg as usize / 8];
        let mut count = 0;
        while shared[STOP].load(Ordering::Acquire) == 0 {
            touch(touched);
            count += 1;
            shared[TURNS].store(count, Ordering::Relaxed);
            call(Op::Yield, 0);
        }
        Served { count, wrong: 0 }
    }
}
