//! What the plan told this kernel to do wrong (see `abi::control`). Each place that can do wrong asks here.

use abi::CpuId;
use abi::control::{ControlKind, STRIKES_IN, TSC_AHEAD_CYCLES};
use abi::plan::Control;
use abi::wire::record::Control as ControlRecord;
use core::sync::atomic::{AtomicBool, Ordering};
use spin::Once;

use crate::smp::idle;
use crate::{console, power};

static CONTROL: Once<Control> = Once::new();
/// The one record that a control spoils was met.
static SPOILT: AtomicBool = AtomicBool::new(false);

/// Puts the plan's control in force, and says so.
pub fn init(control: Control) {
    CONTROL.call_once(|| control);
    if control.kind != ControlKind::None {
        console::record(ControlRecord { kind: control.kind, target: control.target });
    }
}

/// What is in force on `cpu`, or on no CPU in particular.
fn in_force(cpu: Option<CpuId>) -> ControlKind {
    let applies = |control: &&Control| cpu.is_none_or(|cpu| cpu.0 == control.target);
    CONTROL.get().filter(applies).map_or(ControlKind::None, |control| control.kind)
}

/// What is to be done to the line of a record that may be spoilt; to the first such line only.
pub fn on_result_line() -> ControlKind {
    let kind = in_force(None);
    let spoils =
        matches!(kind, ControlKind::LoseRecord | ControlKind::DoubleRecord | ControlKind::TearRecord);
    if spoils && !SPOILT.swap(true, Ordering::SeqCst) { kind } else { ControlKind::None }
}

/// In the middle of iteration `iter` of a case: its workers are done, and none of its records is printed.
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

/// Whether `cpu` is not to be started.
pub fn skips_start(cpu: CpuId) -> bool {
    in_force(Some(cpu)) == ControlKind::SkipAp
}

/// How far ahead the TSC of `cpu` is to be, in cycles.
pub fn tsc_ahead(cpu: CpuId) -> u64 {
    if in_force(Some(cpu)) == ControlKind::TscAhead { TSC_AHEAD_CYCLES } else { 0 }
}

/// Whether `cpu` is to take interrupts while it runs a timed worker.
pub fn interrupts_worker(cpu: CpuId) -> bool {
    in_force(Some(cpu)) == ControlKind::Interrupt
}
