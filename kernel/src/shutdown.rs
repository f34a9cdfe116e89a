//! The end of a run: the summary for a person at the console, repeated while the machine stays, then power-off or reset.

use core::fmt;

use abi::exit::GuestExit;
use harness::clock::Clock;

use crate::cpu::idle;
use crate::settings::Ending;
use crate::{clock, console, power};

/// The interval at which the summary is repeated while the machine lingers, in microseconds.
const STEP_US: u64 = 10_000_000;

/// Prints `summary` and ends the machine, with `exit` for QEMU.
///
/// Some consoles keep only the output of a running machine, or only its last part. For these the machine can stay and
/// repeat the summary.
pub fn end(ending: Ending, exit: GuestExit, summary: &dyn fmt::Display) -> ! {
    console::text(format_args!("{summary}"));
    match ending {
        Ending::Poweroff => power::off(exit),
        Ending::Reboot => power::reset(),
        Ending::Linger { ms } => {
            let mut left_us = u64::from(ms) * 1000;
            while left_us > 0 {
                let seconds = left_us / 1_000_000;
                let (minutes, seconds) = (seconds / 60, seconds % 60);
                console::text(format_args!(
                    "  powers off in {minutes}:{seconds:02}: save the log until then\n"
                ));
                let step = left_us.min(STEP_US);
                wait(step);
                left_us -= step;
                console::text(format_args!("{summary}"));
            }
            power::off(exit)
        }
    }
}

/// Waits for `us` microseconds; without a clock, at least for that long.
fn wait(us: u64) {
    match clock::get().filter(|clock| clock.has_timer()) {
        Some(clock) => {
            idle::wait_until(clock, us, || false);
        }
        None => Clock::AT_MOST.spin_us(us),
    }
}
