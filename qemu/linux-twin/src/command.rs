//! The commands that a guest takes which stays after its last record, as our kernel takes them (`abi::command`).

use std::time::{Duration, Instant};

use abi::Digest;
use abi::command::{self, Collected, Collector, Command, LINE_US, MOST_ANSWERED, Order, Place, Refusal};
use abi::exit::GuestExit;
use abi::wire::Hex64;
use abi::wire::record::{CommandRefused, CommandTaken, RefusedFor, RunStatus};
use harness::Sink;

use crate::console::Console;
use crate::run::{self, Cause, Ended, Setting};

/// A line that has come.
enum Line {
    /// The collector has it; it took so long.
    Whole(Duration),
    /// It is none.
    Broken(RefusedFor),
}

/// Takes commands until none has been taken for `patience`. Returns how the machine ends: as the last plan ended, `first`
/// without one.
pub fn serve(
    setting: &Setting,
    console: &mut Console,
    nonce: Hex64,
    patience: Duration,
    first: GuestExit,
) -> GuestExit {
    let mut collector = Box::new(Collector::EMPTY);
    let (mut place, mut exit, mut refused) = (Place { number: 0, after: nonce }, first, 0);
    let mut deadline = Instant::now() + patience;
    while let Some(line) = next(&mut collector, console, deadline) {
        let (came, took) = match line {
            Line::Whole(took) => (collector.line(), took),
            Line::Broken(reason) => {
                refuse(&Refusal::of(reason), &mut refused, console);
                continue;
            }
        };
        let bytes = u32::try_from(came.len()).unwrap_or(u32::MAX);
        match command::read(came, place) {
            Err(refusal) => refuse(&refusal, &mut refused, console),
            // What our kernel holds is not to be compared with anything of Linux's.
            Ok(Command { order: Order::Hold(_) | Order::Check(_), .. }) => {
                refuse(&Refusal::of(RefusedFor::Unknown), &mut refused, console);
            }
            Ok(Command { order: order @ Order::Exec(_), plan }) => {
                let Place { number, after } = place;
                let took_us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
                let taken = CommandTaken { kind: order.kind(), number, after, bytes, took_us, refused };
                let Ended { exit: ended, nonce } = run::all(setting, Cause::Command(taken, plan), console);
                (exit, place) = (ended, Place { number: number.wrapping_add(1), after: nonce });
                (refused, deadline) = (0, Instant::now() + patience);
            }
        }
    }
    exit
}

/// Waits for the next line until `deadline`; `None` if none has come by then.
fn next(collector: &mut Collector, console: &mut Console, deadline: Instant) -> Option<Line> {
    let line = Duration::from_micros(LINE_US);
    let mut begun = Instant::now();
    loop {
        let now = Instant::now();
        if now >= deadline {
            return None;
        }
        let was_within = collector.is_within_line();
        let due = if was_within { deadline.min(begun + line) } else { deadline };
        match console.receive(due.saturating_duration_since(now)) {
            Some(byte) => {
                if !was_within {
                    begun = Instant::now();
                }
                match collector.push(byte) {
                    Some(Collected::Line) => return Some(Line::Whole(begun.elapsed())),
                    Some(Collected::TooLong) => return Some(Line::Broken(RefusedFor::TooLong)),
                    None => {}
                }
            }
            // A signal ended the wait.
            None if Instant::now() < due => {}
            None if was_within && due < deadline => {
                collector.give_up();
                return Some(Line::Broken(RefusedFor::TooSlow));
            }
            None => return None,
        }
    }
}

/// Answers a line that is not taken, unless too many were answered so before.
fn refuse(refusal: &Refusal, refused: &mut u32, console: &mut Console) {
    let Refusal { reason, detail } = *refusal;
    if *refused < MOST_ANSWERED {
        run::begin(Digest::of(&[]), console);
        console.record(CommandRefused { reason, refused: *refused, detail }.into());
        console.end(RunStatus::Failed);
    }
    *refused = refused.saturating_add(1);
}
