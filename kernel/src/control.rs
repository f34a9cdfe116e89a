//! Negative controls: what the plan tells this kernel to do wrong (see `abi::control`). Every place that can do wrong
//! asks here.

use abi::CpuId;
use abi::control::{ControlKind, STRIKES_IN, TSC_AHEAD_CYCLES};
use abi::plan::Control;
use abi::wire::Record;
use abi::wire::record::Control as ControlRecord;
use core::sync::atomic::{AtomicBool, Ordering};
use spin::Once;

use crate::console::{self, Spoil};
use crate::cpu::idle;
use crate::power;

static CONTROL: Once<Control> = Once::new();
/// Whether the one record that a control spoils has been printed.
static SPOILT: AtomicBool = AtomicBool::new(false);

/// Puts the plan's control in force, and reports it.
pub fn init(control: Control) {
    CONTROL.call_once(|| control);
    if control.kind != ControlKind::None {
        console::record(ControlRecord { kind: control.kind, target: control.target });
        console::spoil_with(spoil);
    }
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

/// How far ahead the TSC of `cpu` must appear, in cycles.
pub fn tsc_ahead(cpu: CpuId) -> u64 {
    if in_force(Some(cpu)) == ControlKind::TscAhead { TSC_AHEAD_CYCLES } else { 0 }
}

/// Whether the kernel must report half of each worker's time, in a case of `workers`.
pub fn halves_times(workers: usize) -> bool {
    workers > 1 && in_force(None) == ControlKind::HalveTimes
}

/// Whether `cpu` must take interrupts while it runs a timed worker.
pub fn interrupts_worker(cpu: CpuId) -> bool {
    in_force(Some(cpu)) == ControlKind::Interrupt
}
