//! The client of each row: it does the operation and times it.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::series::SeriesRow;
use abi::stub::Op;
use abi::task::{
    END, Header, MAPPED_AT, Orders, SHARED_WORDS, STOP, SUM, TURNS, answer, child_answer, child_argument,
};

use super::attacks::{Attacker, End, Tried};
use super::samples::{Samples, Tally};
use super::stub::{call, call2, call3};
use super::touch;
use crate::worker::runtime::tsc;

/// The most tasks that a row starts: each is a whole program.
const SPAWNED: usize = 200;

/// What the client of a row works with.
pub struct Client<'a> {
    /// What it is to do.
    pub orders: Orders,
    /// The plan's challenge.
    pub challenge: u64,
    /// Memory for samples.
    pub memory: &'a mut [u64],
    /// Memory that is touched.
    pub touched: &'a mut [u64],
    /// Memory that all tasks share.
    pub shared: &'a [AtomicU64],
}

impl Client<'_> {
    /// Runs the row. Returns what it leaves beside its samples.
    pub fn run(&mut self, row: SeriesRow) -> Header {
        let Orders { arg, handle, other, right, .. } = self.orders;
        match row {
            SeriesRow::OverheadStub => self.repeat(|| call(Op::Empty, right)),
            SeriesRow::NullEnter => self.repeat(|| call(Op::Null, 0)),
            SeriesRow::RefusedNumber => self.repeat(|| call(Op::NoCall, 0)),
            SeriesRow::CapOk => self.repeat(|| call(Op::Identify, handle)),
            SeriesRow::CapRefused => match arg {
                4 => self.repeat(|| call2(Op::Call, handle, 1)),
                5 => self.repeat(|| call(Op::BadMethod, handle)),
                _ => self.repeat(|| call(Op::Identify, handle)),
            },
            SeriesRow::SpawnRefused => self.repeat(|| call2(Op::Spawn, handle, child_argument(0))),
            SeriesRow::CallSame => self.calls(),
            SeriesRow::CallCross => self.calls_one_by_one(),
            SeriesRow::NotifyNone => self.signals(other, right),
            SeriesRow::NotifyWake => self.wakes(),
            SeriesRow::Switch => self.switches(),
            SeriesRow::TimerWake => self.sleeps(),
            SeriesRow::SpawnWait => self.children(),
            SeriesRow::FaultZero => self.faults(),
            SeriesRow::FaultServed => self.served_faults(),
            SeriesRow::Map | SeriesRow::Protect | SeriesRow::Unmap => self.mappings(row),
            SeriesRow::MapTouch => self.touched_mappings(),
            SeriesRow::RingNop => self.rings(),
            SeriesRow::ShmXfer => self.transfers(),
            SeriesRow::Attack | SeriesRow::AttackCross => self.attacks(row),
            // Not a row of this program: no sample, so it has no figure.
            _ => Header::default(),
        }
    }

    pub(super) fn samples(&mut self) -> Samples<'_> {
        Samples::new(self.orders, self.memory)
    }

    /// Batches of an operation whose right answer is known.
    #[inline(always)]
    fn repeat(&mut self, operation: impl Fn() -> u64) -> Header {
        let right = self.orders.right;
        let mut samples = self.samples();
        samples.batches(&mut |n| repeated(n, right, &operation), &mut |_| Tally::default());
        samples.header
    }

    fn calls(&mut self) -> Header {
        let (handle, challenge, mut word) = (self.orders.handle, self.challenge, 0);
        let mut samples = self.samples();
        samples.batches(
            &mut |n| {
                let mut tally = Tally::default();
                for _ in 0..n {
                    word += 1;
                    tally.see(call2(Op::Call, handle, word), answer(word, challenge), 1);
                }
                tally
            },
            &mut |_| Tally::default(),
        );
        samples.header.outside += 1;
        let _ended = call2(Op::Call, handle, END);
        samples.header
    }

    fn calls_one_by_one(&mut self) -> Header {
        let (handle, challenge, mut word) = (self.orders.handle, self.challenge, 0);
        let mut samples = self.samples();
        samples.events(usize::MAX, 1, &mut || {
            word += 1;
            let mut tally = Tally::default();
            let begin = tsc();
            let reply = call2(Op::Call, handle, word);
            let end = tsc();
            tally.see(reply, answer(word, challenge), 1);
            (end.saturating_sub(begin), tally)
        });
        samples.header.outside += 1;
        let _ended = call2(Op::Call, handle, END);
        samples.header
    }

    /// Signals for which none waits. After each batch the word must be what so many signals make.
    fn signals(&mut self, signalled: u64, waited: u64) -> Header {
        let handle = self.orders.handle;
        let mut samples = self.samples();
        samples.batches(&mut |n| repeated(n, signalled, || call2(Op::Signal, handle, 1)), &mut |n| {
            let mut tally = Tally::default();
            if n > 0 {
                // Two signals make 1 if bits are kept, 2 if they are added up.
                tally.see(call(Op::Wait, handle), if waited == 1 { 1 } else { n }, 0);
            }
            tally
        });
        samples.header
    }

    fn wakes(&mut self) -> Header {
        let Orders { handle, other, .. } = self.orders;
        let mut number = 0_u32;
        let mut samples = self.samples();
        samples.events(usize::MAX, 1, &mut || {
            number += 1;
            let bits = 1 << (number % 62);
            let mut tally = Tally::default();
            let begin = tsc();
            let _signalled = call2(Op::Signal, handle, bits);
            let got = call(Op::Wait, other);
            let end = tsc();
            tally.see(got, bits, 1);
            (end.saturating_sub(begin), tally)
        });
        samples.header.outside += 1;
        let _signalled = call2(Op::Signal, handle, END);
        samples.header
    }

    fn switches(&mut self) -> Header {
        let Self { orders, memory, touched, shared, .. } = self;
        let touched = &mut touched[..orders.arg as usize / 8];
        let turns = || shared[TURNS].load(Ordering::Relaxed);
        let deadline = tsc().saturating_add(orders.budget_cycles);
        // The partner may begin late.
        while turns() == 0 && tsc() < deadline {
            call(Op::Yield, 0);
        }
        let first = turns();
        let mut last = first;
        let mut samples = Samples::new(*orders, memory);
        samples.batches(
            &mut |n| {
                let mut tally = Tally::default();
                for _ in 0..n {
                    touch(touched);
                    call(Op::Yield, 0);
                    let turn = turns();
                    tally.see(turn, last + 1, 1);
                    last = turn;
                }
                tally
            },
            &mut |_| Tally::default(),
        );
        samples.header.outside += first;
        shared[STOP].store(1, Ordering::Release);
        samples.header
    }

    fn sleeps(&mut self) -> Header {
        let ahead = self.orders.ahead_cycles;
        let mut samples = self.samples();
        samples.events(usize::MAX, 1, &mut || {
            let mut tally = Tally::default();
            let deadline = tsc().saturating_add(ahead);
            call(Op::Sleep, deadline);
            let now = tsc();
            tally.see(u64::from(now >= deadline), 1, 1);
            (now.saturating_sub(deadline), tally)
        });
        samples.header
    }

    fn children(&mut self) -> Header {
        let (handle, mut number) = (self.orders.handle, self.challenge);
        let mut samples = self.samples();
        samples.events(SPAWNED, 1, &mut || {
            number = number.wrapping_add(1);
            let argument = child_argument(number);
            let mut tally = Tally::default();
            let begin = tsc();
            let reply = call2(Op::Spawn, handle, argument);
            let end = tsc();
            tally.see(reply, child_answer(argument), 1);
            (end.saturating_sub(begin), tally)
        });
        samples.header
    }

    /// Operations of a ring that do nothing. Each call has the same number of them.
    fn rings(&mut self) -> Header {
        let Orders { arg: count, handle, right, .. } = self.orders;
        call3(Op::Map, handle, MAPPED_AT, abi::ring::PAGES);
        let mut token = self.challenge;
        let mut samples = self.samples();
        samples.batches(
            &mut |n| {
                let mut tally = Tally::default();
                for _ in 0..n {
                    tally.see(call3(Op::Enter, handle, token, count), right, count);
                    token = token.wrapping_add(count);
                }
                tally
            },
            &mut |_| Tally::default(),
        );
        samples.header.outside *= count;
        samples.header
    }

    fn attacks(&mut self, row: SeriesRow) -> Header {
        /// The passes of an attack: each must end as the one before it.
        const PASSES: usize = 100;
        let Some(attack) = Tried::of(row, self.orders.arg) else { return Header::default() };
        let Self { orders, challenge, memory, shared, .. } = self;
        let Orders { handle: door, other: pages, right: image, .. } = *orders;
        let mut attacker = Attacker { door, pages, image, challenge: *challenge, shared, pass: 0 };
        let mut samples = Samples::new(*orders, memory);
        samples.events(PASSES, 1, &mut || {
            let mut tally = Tally::default();
            let begin = tsc();
            let is_right = attacker.attack(attack);
            let end = tsc();
            tally.see(u64::from(is_right), 1, 1);
            (end.saturating_sub(begin), tally)
        });
        let End { is_right, served } = attacker.end(attack);
        samples.header.outside += served;
        samples.header.wrong += u64::from(!is_right);
        samples.header
    }

    fn transfers(&mut self) -> Header {
        let Self { orders, memory, shared, .. } = self;
        let Orders { arg, handle, other, .. } = *orders;
        let data = &shared[SHARED_WORDS..][..arg as usize / 8];
        let mut number = 0_u64;
        let mut samples = Samples::new(*orders, memory);
        samples.events(usize::MAX, 1, &mut || {
            number += 1;
            let mut tally = Tally::default();
            let (mut word, mut sum) = (number, 0_u64);
            let begin = tsc();
            for place in data {
                place.store(word, Ordering::Relaxed);
                sum = sum.wrapping_add(word);
                word = word.wrapping_add(number);
            }
            let _signalled = call2(Op::Signal, handle, 1);
            let _bits = call(Op::Wait, other);
            let end = tsc();
            tally.see(shared[SUM].load(Ordering::Relaxed), sum, 1);
            (end.saturating_sub(begin), tally)
        });
        samples.header.outside += 1;
        let _signalled = call2(Op::Signal, handle, END);
        samples.header
    }
}

/// A batch of an operation.
#[inline(always)]
fn repeated(n: u64, right: u64, operation: impl Fn() -> u64) -> Tally {
    let mut tally = Tally::default();
    for _ in 0..n {
        tally.see(operation(), right, 1);
    }
    tally
}
