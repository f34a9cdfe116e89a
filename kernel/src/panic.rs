//! The kernel's own defects: one record, then off.

use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use abi::CpuId;
use abi::exit::GuestExit;
use abi::wire::Text;
use abi::wire::record::Panic;
use x86_64::instructions::interrupts;

use crate::smp::{PerCpu, idle};
use crate::{console, power};

static PANICKING: AtomicBool = AtomicBool::new(false);

/// Tells of a panic and switches the machine off. Of several CPUs that panic, or of a panic in a panic, the first
/// tells.
pub fn on_panic(info: &PanicInfo<'_>) -> ! {
    interrupts::disable();
    if PANICKING.swap(true, Ordering::SeqCst) {
        idle::park();
    }
    console::seize();
    let at =
        info.location().map_or(Text::new(""), |at| Text::format(format_args!("{}:{}", at.file(), at.line())));
    console::record(Panic {
        cpu: PerCpu::current().map_or(CpuId(u16::MAX), |cpu| cpu.id),
        at,
        message: Text::format(format_args!("{}", info.message())),
    });
    console::text(format_args!("kernel {info}\n"));
    power::off(GuestExit::Panic)
}
