//! The kernel's own defects: one record, then off.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use abi::CpuId;
use abi::exit::GuestExit;
use abi::wire::Text;
use abi::wire::record::Panic;
use x86_64::instructions::interrupts;

use crate::smp::{PerCpu, idle};
use crate::{console, power};

/// The CPU that panicked first, or [`NOBODY`].
static PANICKING: AtomicU32 = AtomicU32::new(NOBODY);
const NOBODY: u32 = u32::MAX;
/// That CPU has panicked again, while it told of it.
static AGAIN: AtomicBool = AtomicBool::new(false);

/// What a CPU that panics is to do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Duty {
    /// It is the first: to tell of it, and to switch off.
    Tell,
    /// It is telling already, and cannot: to switch off without another word, or the run would be a time-out.
    SwitchOff,
    /// Another CPU tells, or not even switching off can be done: to stop.
    Park,
}

/// The duty of `cpu`, by who has panicked before.
fn duty(cpu: CpuId, first: &AtomicU32, again: &AtomicBool) -> Duty {
    let this = u32::from(cpu.0);
    match first.compare_exchange(NOBODY, this, Ordering::SeqCst, Ordering::SeqCst) {
        Ok(_) => Duty::Tell,
        Err(who) if who == this && !again.swap(true, Ordering::SeqCst) => Duty::SwitchOff,
        Err(_) => Duty::Park,
    }
}

/// Tells of a panic and switches the machine off. Of several CPUs that panic the first tells.
pub fn on_panic(info: &PanicInfo<'_>) -> ! {
    interrupts::disable();
    // There is one CPU without data of its own: the BSP before it has any.
    let cpu = PerCpu::current().map_or(CpuId(u16::MAX), |cpu| cpu.id);
    match duty(cpu, &PANICKING, &AGAIN) {
        Duty::Tell => {}
        Duty::SwitchOff => {
            // It may have panicked with the console's lock in its hand.
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
    fn the_first_tells_and_switches_off_where_it_cannot_and_others_stop() {
        let (first, again) = (AtomicU32::new(NOBODY), AtomicBool::new(false));
        let duty = |cpu| duty(CpuId(cpu), &first, &again);
        assert_eq!(duty(1), Duty::Tell);
        assert_eq!(duty(0), Duty::Park);
        assert_eq!(duty(1), Duty::SwitchOff);
        assert_eq!(duty(1), Duty::Park);
    }
}
