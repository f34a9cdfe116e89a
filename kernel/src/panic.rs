//! The kernel's own defects: one record, then off.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use abi::CpuId;
use abi::exit::GuestExit;
use abi::wire::Text;
use abi::wire::record::Panic;
use x86_64::instructions::interrupts;

use crate::cpu::{PerCpu, idle};
use crate::{console, power};

/// The CPU that panicked first, or [`NONE`].
static PANICKING: AtomicU32 = AtomicU32::new(NONE);
const NONE: u32 = u32::MAX;
/// That CPU has panicked again, while it reported the first panic.
static AGAIN: AtomicBool = AtomicBool::new(false);

/// What a CPU that panics must do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Duty {
    /// It is the first: report the panic and power off.
    Report,
    /// It panicked while it reported: power off without a report, or the run would end by its deadline.
    SwitchOff,
    /// Another CPU reports, or powering off panicked too: stop.
    Park,
}

/// The duty of `cpu`, by the panics before it.
fn duty(cpu: CpuId, first: &AtomicU32, again: &AtomicBool) -> Duty {
    let this = u32::from(cpu.0);
    match first.compare_exchange(NONE, this, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => Duty::Report,
        Err(other) if other == this && !again.swap(true, Ordering::SeqCst) => Duty::SwitchOff,
        Err(_) => Duty::Park,
    }
}

/// Reports a panic and powers the machine off. If several CPUs panic, the first reports.
pub fn on_panic(info: &PanicInfo<'_>) -> ! {
    interrupts::disable();
    // Only one CPU has no data: the BSP, early.
    let cpu = PerCpu::current().map_or(CpuId(u16::MAX), |cpu| cpu.id);
    match duty(cpu, &PANICKING, &AGAIN) {
        Duty::Report => {}
        Duty::SwitchOff => {
            // It may have panicked while it held the console's lock.
            console::seize();
            power::off(GuestExit::Panic)
        }
        Duty::Park => idle::park(),
    }
    console::seize();
    let at =
        info.location().map_or(Text::new(""), |at| Text::format(format_args!("{}:{}", at.file(), at.line())));
    console::record(Panic { cpu, at, message: Text::format(format_args!("{}", info.message())) });
    console::text(format_args!("kernel {info}\n"));
    power::off(GuestExit::Panic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_reports_or_else_powers_off_and_others_stop() {
        let (first, again) = (AtomicU32::new(NONE), AtomicBool::new(false));
        let duty = |cpu| duty(CpuId(cpu), &first, &again);
        assert_eq!(duty(1), Duty::Report);
        assert_eq!(duty(0), Duty::Park);
        assert_eq!(duty(1), Duty::SwitchOff);
        assert_eq!(duty(1), Duty::Park);
    }
}
