//! Lines from the serial ports, each within its bounds.

use core::cell::Cell;

use abi::command::{Collected, Collector, LINE_US};
use abi::wire::record::RefusedFor;
use harness::x86::tsc;

use crate::clock::MachineClock;
use crate::console::{self, Received};
use crate::cpu::idle;

/// How long a CPU leaves the port alone between two looks within a line, in microseconds: far less than 16 bytes take at
/// 115,200 baud.
const LOOK_US: u64 = 50;

/// A line that has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Line {
    /// The collector has it.
    Whole {
        /// From its first byte to its end, in microseconds.
        took_us: u64,
    },
    /// It is none, for this reason; the rest of it is dropped.
    Broken(RefusedFor),
}

/// The TSC value that is `ms` from now.
pub fn deadline(clock: &MachineClock, ms: u32) -> u64 {
    tsc::read().saturating_add(clock.tsc.cycles(u64::from(ms) * 1000))
}

/// Waits for the next line until the TSC value `deadline`; `None` if none has come by then. The CPU halts until the first
/// byte comes, and looks all the time from then on: a UART holds 16 bytes.
pub fn next(collector: &mut Collector, clock: &MachineClock, deadline: u64) -> Option<Line> {
    let mut begun = tsc::read();
    loop {
        let received = if collector.is_within_line() {
            let due = deadline.min(begun.saturating_add(clock.tsc.cycles(LINE_US)));
            spin_until(clock, due)
        } else {
            halt_until(clock, deadline)
        };
        let was_within = collector.is_within_line();
        match received {
            Some(Received::Byte(byte)) => {
                if !was_within {
                    begun = tsc::read();
                }
                let took_us = clock.tsc.micros(tsc::read().saturating_sub(begun));
                match collector.push(byte) {
                    Some(Collected::Line) => return Some(Line::Whole { took_us }),
                    Some(Collected::TooLong) => return Some(Line::Broken(RefusedFor::TooLong)),
                    None => {}
                }
                // A flood whose lines are dropped ends no wait above.
                if tsc::read() >= deadline {
                    return None;
                }
            }
            Some(Received::Lost) => {
                collector.give_up();
                return Some(Line::Broken(RefusedFor::Overrun));
            }
            None if was_within && tsc::read() < deadline => {
                collector.give_up();
                return Some(Line::Broken(RefusedFor::TooSlow));
            }
            None => return None,
        }
    }
}

/// How long it is to a TSC value, in microseconds.
fn left_us(clock: &MachineClock, due: u64) -> u64 {
    clock.tsc.micros(due.saturating_sub(tsc::read()))
}

/// Looks every [`LOOK_US`], so that a VMM which serves the looks has time to bring the bytes.
fn spin_until(clock: &MachineClock, due: u64) -> Option<Received> {
    let received = Cell::new(None);
    while !look(&received) && tsc::read() < due {
        clock.tsc.spin_us(LOOK_US);
    }
    received.get()
}

fn halt_until(clock: &MachineClock, due: u64) -> Option<Received> {
    let received = Cell::new(None);
    idle::wait_until(clock, left_us(clock, due), || look(&received));
    received.get()
}

/// Takes what has come, if anything has.
fn look(received: &Cell<Option<Received>>) -> bool {
    received.set(console::receive());
    received.get().is_some()
}
