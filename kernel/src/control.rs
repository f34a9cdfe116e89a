//! Negative controls: what the plan makes this kernel do wrong (see `abi::control`). Every place that can do wrong
//! asks here.

use abi::CpuId;
use abi::control::{ControlKind, STRIKES_IN, TSC_AHEAD_CYCLES};
use abi::plan::Control;
use abi::wire::Record;
use abi::wire::record::{Control as ControlRecord, Stage};
use alloc::vec::Vec;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use spin::Once;

use crate::console::{self, Spoil};
use crate::cpu::{PerCpu, idle};
use crate::mem::heap_take_for;
use crate::x86::apic;
use crate::{panic, power};

/// Vectors that nothing in this kernel uses. Those of #AC, which pushes an error code, and of #VE, which pushes none, are among
/// them: a device may be set to any vector from 16 on.
const STRAY_VECTORS: [u8; 4] = [0x11, 0x14, 0x50, 0x51];

static CONTROL: Once<Control> = Once::new();
/// Whether the one record that a control spoils has been printed.
static SPOILT: AtomicBool = AtomicBool::new(false);

/// Puts the plan's control in force. Nothing is printed yet.
pub fn init(control: Control) {
    CONTROL.call_once(|| control);
}

/// Reports the control in force, if there is one.
pub fn report() {
    if let Some(&Control { kind, target }) = CONTROL.get().filter(|control| control.kind != ControlKind::None)
    {
        console::record(ControlRecord { kind, target });
        console::spoil_with(spoil);
    }
}

/// Called as each step of the boot begins.
pub fn enter(stage: Stage) {
    panic::set_stage(stage);
    let faults_in = match in_force(None) {
        ControlKind::FaultEntry => Stage::Entry,
        ControlKind::FaultConsole => Stage::Console,
        ControlKind::FaultMemory => Stage::Memory,
        ControlKind::FaultAcpi => Stage::Acpi,
        ControlKind::FaultBsp => Stage::Bsp,
        ControlKind::FaultClock => Stage::Clock,
        ControlKind::FaultAps => Stage::Aps,
        ControlKind::FaultMachine => Stage::Machine,
        _ => return,
    };
    if faults_in == stage {
        undefined_instruction();
    }
}

/// Called on each AP as soon as it can take traps.
pub fn enter_ap(cpu: CpuId) {
    if in_force(Some(cpu)) == ControlKind::FaultAp {
        undefined_instruction();
    }
}

#[expect(unsafe_code, reason = "faults on purpose")]
fn undefined_instruction() {
    // SAFETY: #UD changes nothing, and its handler does not return.
    unsafe { core::arch::asm!("ud2", options(nomem, nostack)) };
}

/// The control in force on `cpu`, or on any CPU.
fn in_force(cpu: Option<CpuId>) -> ControlKind {
    let control = CONTROL.get().filter(|control| cpu.is_none_or(|cpu| cpu.0 == control.target));
    control.map_or(ControlKind::None, |control| control.kind)
}

/// Spoils the first `result` record, if the control says so.
fn spoil(record: &Record) -> Spoil {
    let spoil = match in_force(None) {
        ControlKind::LoseRecord => Spoil::Lose,
        ControlKind::TearRecord => Spoil::Tear,
        ControlKind::DoubleRecord => Spoil::Double,
        _ => Spoil::Keep,
    };
    let applies = spoil != Spoil::Keep && matches!(record, Record::Answer(_));
    if applies && !SPOILT.swap(true, Ordering::SeqCst) { spoil } else { Spoil::Keep }
}

/// Called in iteration `iter` of a case, when its workers are done and none of its records is printed.
pub fn on_case(iter: u16) {
    if iter != STRIKES_IN {
        return;
    }
    match in_force(None) {
        ControlKind::Panic => panic!("the plan's control"),
        ControlKind::Reset => power::reset(),
        ControlKind::TripleFault => power::triple_fault(),
        ControlKind::Hang => idle::park(),
        _ => {}
    }
}

/// Whether `cpu` must not be started.
pub fn skips_start(cpu: CpuId) -> bool {
    in_force(Some(cpu)) == ControlKind::SkipAp
}

/// The CPU whose TSC must appear ahead although no plan says so; [`NONE`] for none.
static AHEAD: AtomicU32 = AtomicU32::new(NONE);
const NONE: u32 = u32::MAX;

/// Has the TSC of a CPU appear ahead from now on, or that of none.
pub fn put_ahead(cpu: Option<CpuId>) {
    AHEAD.store(cpu.map_or(NONE, |cpu| cpu.0.into()), Ordering::Relaxed);
}

/// How far ahead the TSC of `cpu` must appear, in cycles.
pub fn tsc_ahead(cpu: CpuId) -> u64 {
    if AHEAD.load(Ordering::Relaxed) == u32::from(cpu.0) {
        return TSC_AHEAD_CYCLES;
    }
    if in_force(Some(cpu)) == ControlKind::TscAhead { TSC_AHEAD_CYCLES } else { 0 }
}

/// Whether the kernel must report half of each worker's time, in a case of `workers`.
pub fn halves_times(workers: usize) -> bool {
    workers > 1 && in_force(None) == ControlKind::HalveTimes
}

/// Takes the heap while a team of workers is built on `cpus`, if the control says so and the target CPU is among them. What is
/// returned is what was taken.
#[must_use]
pub fn take_heap(cpus: &[&PerCpu]) -> Vec<Vec<u8>> {
    let takes = cpus.iter().any(|cpu| in_force(Some(cpu.id)) == ControlKind::TakeHeap);
    if takes { heap_take_for(cpus.len()) } else { Vec::new() }
}

/// Called on `cpu` just before it enters a timed worker, with interrupts off: what it sends itself arrives in ring 3, but for
/// an NMI, which waits for nothing.
pub fn disturb(cpu: &PerCpu) {
    match in_force(Some(cpu.id)) {
        ControlKind::StrayInterrupt => {
            STRAY_VECTORS.iter().for_each(|&vector| apic::send_ipi(cpu.apic_id, vector))
        }
        ControlKind::Nmi => apic::send_nmi(cpu.apic_id),
        _ => {}
    }
}

/// Whether `cpu` must take interrupts while it runs a timed worker.
pub fn interrupts_worker(cpu: CpuId) -> bool {
    in_force(Some(cpu)) == ControlKind::Interrupt
}
