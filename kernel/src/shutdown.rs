//! The end of a run: its last word for a person at the console, repeated while the machine stays, then power-off or reset.
//! Every way to end comes here, also a refusal to run and a panic: a machine whose log is read while it stays up stays up.

use core::fmt;
use core::sync::atomic::{AtomicU64, Ordering};

use abi::exit::GuestExit;

use crate::cpu::idle;
use crate::settings::Ending;
use crate::{clock, console, power};

/// The interval at which the last word is repeated while the machine lingers, in microseconds.
const STEP_US: u64 = 10_000_000;

/// The ending in force, as [`Ending::to_bits`] has it. Until the boot configuration is read: power-off.
static ENDING: AtomicU64 = AtomicU64::new(Ending::Poweroff.to_bits());

/// Puts an ending in force. Called as soon as the configuration is known, and again when the plan and the devices are.
pub fn set_ending(ending: Ending) {
    ENDING.store(ending.to_bits(), Ordering::Relaxed);
}

/// How long the machine waits for each command after its last record, in milliseconds; `None` if it takes none.
#[must_use]
pub fn stay_ms() -> Option<u32> {
    match Ending::from_bits(ENDING.load(Ordering::Relaxed)) {
        Ending::Stay { ms } => Some(ms),
        Ending::Poweroff | Ending::Reboot | Ending::Linger { .. } => None,
    }
}

/// Prints `summary` and ends the machine as configured, with `exit` for QEMU.
///
/// Some consoles keep only the output of a running machine, or only its last part. For these the machine can stay and
/// repeat the summary.
pub fn end(exit: GuestExit, summary: &dyn fmt::Display) -> ! {
    end_repeating(exit, &|| console::text(format_args!("{summary}")), wait)
}

/// Reports a panic by `report` and ends the machine as configured. It takes no interrupt and relies on no other CPU.
pub fn end_by_panic(report: &dyn Fn()) -> ! {
    end_repeating(GuestExit::Panic, report, |us| clock::for_waits().spin_us(us))
}

fn end_repeating(exit: GuestExit, report: &dyn Fn(), wait: impl Fn(u64)) -> ! {
    report();
    match Ending::from_bits(ENDING.load(Ordering::Relaxed)) {
        Ending::Poweroff => power::off(exit),
        Ending::Reboot => power::reset(),
        // A machine that cannot take commands lingers instead.
        Ending::Linger { ms } | Ending::Stay { ms } => {
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
                report();
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
        None => clock::for_waits().spin_us(us),
    }
}
