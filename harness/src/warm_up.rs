//! The warm-up of a worker, by time: its CPU leaves its idle states and reaches its clock, as well as its caches and
//! predictors their state.

use core::ops::ControlFlow;

use crate::clock::Clock;
use crate::x86::tsc;

/// The workers of an iteration end their warm-ups in this many turns, one after the other: a pace check follows each, and
/// emulators that lock a clock for each reading slow checks that are made at the same time. With more workers some share
/// a turn, as they share host CPUs under such an emulator.
const TURNS: u64 = 4;
/// How long a turn is, in microseconds: longer than a pace check.
const TURN_US: u64 = 700;

/// Calls worker `worker` until `ms` milliseconds and its turn have passed, once at least. `call` is given the TSC value up to which the worker
/// itself goes on; a worker that comes back earlier is called again. Returns why it was broken off, if it was, and how
/// long it took, in cycles.
pub fn run<B>(
    clock: &Clock,
    ms: u32,
    worker: u16,
    mut call: impl FnMut(u64) -> ControlFlow<B>,
) -> (ControlFlow<B>, u64) {
    let begin = tsc::read_ordered();
    let turn_us = u64::from(worker) % TURNS * TURN_US;
    let until = begin.saturating_add(clock.cycles(u64::from(ms) * 1_000 + turn_us));
    loop {
        let called = call(until);
        let now = tsc::read_ordered();
        if called.is_break() || now >= until {
            return (called, now.saturating_sub(begin));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_until_the_time_is_over() {
        let mut calls = 0;
        let (ended, took) = run(&Clock::AT_MOST, 2, 0, |_| {
            calls += 1;
            ControlFlow::<()>::Continue(())
        });
        assert!(ended.is_continue() && calls > 1 && took >= Clock::AT_MOST.cycles(2_000));
    }

    #[test]
    fn a_worker_that_goes_on_by_itself_is_called_once() {
        let mut calls = 0;
        let (ended, took) = run(&Clock::AT_MOST, 1, 1, |until| {
            calls += 1;
            while tsc::read() < until {
                core::hint::spin_loop();
            }
            ControlFlow::<()>::Continue(())
        });
        assert_eq!((ended, calls), (ControlFlow::Continue(()), 1));
        assert!(took >= Clock::AT_MOST.cycles(1_000 + TURN_US));
    }

    #[test]
    fn calls_once_without_a_time_and_no_more_after_a_failure() {
        let mut calls = 0;
        let mut call = |_| {
            calls += 1;
            ControlFlow::Break(7)
        };
        assert_eq!(run(&Clock::AT_MOST, 10_000, 0, &mut call).0, ControlFlow::Break(7));
        assert_eq!(run(&Clock::AT_MOST, 0, 0, &mut call).0, ControlFlow::Break(7));
        assert_eq!(calls, 2);
    }
}
