//! How late the local APIC's timer is.

use abi::series::place::AHEAD_US;
use abi::series::{EVENTS, SeriesRow};
use harness::sampler::{BUDGET_US, Book, Measured, Place, Sampler, Tally};
use harness::x86::tsc;
use x86_64::instructions::interrupts;

use super::Floor;
use crate::clock::MachineClock;
use crate::cpu::PerCpu;
use crate::x86::apic;

/// How long a row with a deadline in a millisecond takes at most, in microseconds: 10,000 of them, and their lateness on a
/// machine that has CPUs for all of its own.
const TIMER_BUDGET_US: u64 = 10_800_000;
/// How long an interrupt is waited for after its deadline, in microseconds.
const LATEST_US: u64 = 1_000_000;

pub fn rows(
    here: &'static PerCpu,
    clock: &'static MachineClock,
    sampler: &mut Sampler<'_>,
    book: &mut Book,
    floor: &mut Floor<'_>,
) {
    for row in [SeriesRow::TimerSpin, SeriesRow::TimerHalt] {
        for ahead_us in AHEAD_US {
            let place = Place::of(row, here.id).arg(ahead_us);
            let budget_us = if ahead_us < 1000 { BUDGET_US } else { TIMER_BUDGET_US };
            let mut wrong = 0;
            let cold = sampler.warm_up(|| once(row, ahead_us, here, clock, &mut wrong));
            wrong = 0;
            let before = here.signal.count();
            let taken =
                sampler.events(row, EVENTS, budget_us, || once(row, ahead_us, here, clock, &mut wrong));
            let done = here.signal.count().wrapping_sub(before);
            match taken {
                Ok(count) => {
                    let tally = Tally { done, wrong };
                    let measured = Measured { n: 1, cold, due: count as u64, tally };
                    book.emit(floor, place, measured, sampler.samples(count));
                }
                Err(reason) => book.none(floor, place, reason),
            }
        }
    }
    apic::set_timer(0);
}

/// Arms the timer once and waits for it. Returns how late the first reading in its handler is.
fn once(row: SeriesRow, ahead_us: u64, here: &PerCpu, clock: &MachineClock, wrong: &mut u64) -> Option<u64> {
    let count = here.signal.count();
    let ahead = clock.tsc.cycles(ahead_us);
    let deadline = tsc::read_ordered() + ahead;
    apic::set_signal(deadline, ticks(clock, ahead));
    let latest = deadline.saturating_add(clock.tsc.cycles(LATEST_US));
    if row == SeriesRow::TimerSpin {
        interrupts::enable();
        while here.signal.count() == count && tsc::read() < latest {
            core::hint::spin_loop();
        }
    } else {
        // An interrupt that came in between is pending, and ends the halt at once. One that never comes is ended by the
        // time-out of the VM alone, so the halt is not entered without an armed timer.
        while here.signal.count() == count && tsc::read() < latest {
            interrupts::enable_and_hlt();
            interrupts::disable();
        }
    }
    interrupts::disable();
    if here.signal.count() == count {
        *wrong += 1;
        return None;
    }
    let stamp = here.signal.stamp();
    *wrong += u64::from(stamp < deadline);
    Some(stamp.saturating_sub(deadline))
}

/// The ticks of a timer that cannot be set to a value of the TSC: two more than the calibration says, and a 2,000th, so that
/// the end of a tick or the error of the calibration is no early interrupt.
fn ticks(clock: &MachineClock, ahead: u64) -> u32 {
    clock.timer_ticks_of(ahead.saturating_add(ahead / 2000)).saturating_add(2)
}
