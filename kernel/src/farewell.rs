//! The end of a run: the summary for whoever reads the console, repeated while the machine stays, and then off or a reset.

use core::fmt;

use abi::exit::GuestExit;

use crate::clock::{self, Clock};
use crate::settings::Ending;
use crate::smp::idle;
use crate::{console, power};

/// How often the summary is repeated while the machine lingers.
const STEP_US: u64 = 10_000_000;

/// Prints `summary` and ends the machine. `exit` is what QEMU's caller learns.
///
/// Consoles that keep only what a running machine prints, or only the last part of it, need it to stay and to say it
/// again.
pub fn end(ending: Ending, exit: GuestExit, summary: &dyn fmt::Display) -> ! {
    console::text(format_args!("{summary}"));
    match ending {
        Ending::Poweroff => power::off(exit),
        Ending::Reboot => power::reset(),
        Ending::Linger { ms } => {
            let mut left_us = u64::from(ms) * 1000;
            while left_us > 0 {
                let step = left_us.min(STEP_US);
                wait(step);
                left_us -= step;
                console::text(format_args!("{summary}"));
            }
            power::off(exit)
        }
    }
}

/// Waits; at least as long as that where there is no clock yet.
fn wait(us: u64) {
    match clock::get().filter(|clock| clock.has_timer()) {
        Some(clock) => {
            idle::wait_until(clock, us, || false);
        }
        None => Clock::AT_MOST.spin_us(us),
    }
}
