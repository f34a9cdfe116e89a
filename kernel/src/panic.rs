//! The kernel's own defects: one record, then the end that is configured.

use core::panic::{Location, PanicInfo};
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, Ordering};

use abi::CpuId;
use abi::exit::GuestExit;
use abi::wire::Text;
use abi::wire::record::{BootStage, Panic, Stage};
use x86_64::instructions::interrupts;

use crate::cpu::{PerCpu, idle, probe};
use crate::x86::{apic, confidential};
use crate::{clock, console, power, shutdown};

/// The CPU that panicked first, or [`NONE`].
static PANICKING: AtomicU32 = AtomicU32::new(NONE);
const NONE: u32 = u32::MAX;
/// That CPU has panicked again, while it reported the first panic.
static AGAIN: AtomicBool = AtomicBool::new(false);
/// The step of the boot, as [`Stage::ALL`] counts them.
static STAGE: AtomicU8 = AtomicU8::new(0);

/// How long other CPUs have to stop, in microseconds: a host may not be running a vCPU just now.
const STOP_US: u64 = 200_000;

/// What a CPU that panics must do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Duty {
    /// It is the first: report the panic and end the machine.
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

/// Remembers which step of the boot begins. A panic in it names it.
pub fn set_stage(stage: Stage) {
    STAGE.store(stage as u8, Ordering::Relaxed);
}

/// The number of this CPU. Only one CPU has no data: the BSP, early.
fn this_cpu() -> CpuId {
    PerCpu::current().map_or(CpuId(u16::MAX), |cpu| cpu.id)
}

/// Whether another CPU panicked, so that an NMI to this one means that it must stop.
#[must_use]
pub fn stops_this_cpu() -> bool {
    let first = PANICKING.load(Ordering::SeqCst);
    first != NONE && first != u32::from(this_cpu().0)
}

/// Stops this CPU, and lets the one that panicked know.
pub fn stop() -> ! {
    if let Some(cpu) = PerCpu::current() {
        cpu.stopped.store(true, Ordering::Release);
    }
    idle::park()
}

/// Reports a panic and ends the machine. If several CPUs panic, the first reports.
pub fn on_panic(info: &PanicInfo<'_>) -> ! {
    interrupts::disable();
    let cpu = this_cpu();
    match duty(cpu, &PANICKING, &AGAIN) {
        Duty::Report => {}
        Duty::SwitchOff => {
            // It may have panicked while it held the console's lock.
            console::seize(stop_others);
            power::off(GuestExit::Panic)
        }
        Duty::Park => stop(),
    }
    if !console::seize(stop_others) {
        power::off(GuestExit::Panic)
    }
    let has_ports = !confidential::kind(probe::read_msr).is_some_and(confidential::Kind::traps_ports);
    console::open_for_panic(has_ports);
    let at = info.location().map_or(Text::new(""), place);
    let message = Text::format(format_args!("{}", info.message()));
    let stage = Stage::ALL.get(usize::from(STAGE.load(Ordering::Relaxed))).copied();
    if let Some(stage) = stage.filter(|&stage| stage != Stage::Run) {
        console::record(BootStage { stage });
    }
    shutdown::end_by_panic(&|| {
        console::record(Panic { cpu, at, message });
        console::text(format_args!("kernel {info}\n"));
    })
}

/// Stops all other CPUs by NMI, which interrupts every code. Nothing follows the panic then. Returns whether all have
/// stopped in time.
fn stop_others() -> bool {
    let this = this_cpu();
    let others = || PerCpu::online().filter(|cpu| cpu.id != this);
    others().for_each(|cpu| apic::send_nmi(cpu.apic_id));
    clock::for_waits().spin_until(STOP_US, || others().all(|cpu| cpu.stopped.load(Ordering::Acquire)))
}

/// File and line. Of a path that is too long, the end: the file's name is there.
fn place<const N: usize>(at: &Location<'_>) -> Text<N> {
    /// The most digits of a line's number, and the colon.
    const LINE_BYTES: usize = 11;
    let file = at.file();
    let first = file.len().saturating_sub(N.saturating_sub(LINE_BYTES));
    let first = (first..file.len()).find(|&index| file.is_char_boundary(index)).unwrap_or(file.len());
    Text::format(format_args!("{}:{}", &file[first..], at.line()))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

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

    #[test]
    fn a_place_keeps_the_files_name_and_the_line() {
        let here = Location::caller();
        let whole = place::<200>(here).to_string();
        assert!(whole.ends_with(&alloc::format!("panic.rs:{}", here.line())), "{whole}");
        let short = place::<24>(here).to_string();
        assert!(short.len() <= 24 && whole.ends_with(&short), "{short}");
    }
}
