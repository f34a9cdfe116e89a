//! Negative controls: what a plan can tell the kernel to do wrong, so that the gate can be seen to notice it.
//!
//! A run with a control says so in its log and can never pass, whatever else is in it: a control that nothing notices
//! is a finding of its own.

use crate::wire::value::words;

words! {
    /// What the kernel does wrong. Where it has a target, that is a CPU's dense number.
    pub enum ControlKind {
        /// Nothing: every plan but a control's.
        None = "none",
        /// The first `result` record is numbered and not printed.
        LoseRecord = "lose-record",
        /// The first `result` record is printed twice.
        DoubleRecord = "double-record",
        /// The first `result` record loses its second half, and its line ending.
        TearRecord = "tear-record",
        /// The kernel panics in iteration [`STRIKES_IN`], after its workers are done, before their records.
        Panic = "panic",
        /// The machine is reset there.
        Reset = "reset",
        /// The BSP triple-faults there.
        TripleFault = "triple-fault",
        /// The BSP stops there, with interrupts off.
        Hang = "hang",
        /// The target CPU is sent no SIPI.
        SkipAp = "skip-ap",
        /// The target CPU's TSC runs ahead by 2^30 cycles. Done where the kernel and its records read it, since an
        /// emulated TSC cannot be set: the warp test and the worker's own readings.
        TscAhead = "tsc-ahead",
        /// The target CPU takes timer interrupts while it runs its timed worker.
        Interrupt = "interrupt",
    }
}

/// The iteration, from 0, in which a kernel that is told to die does so: what came before it must be in the log, unharmed.
pub const STRIKES_IN: u16 = 1;

/// How far [`ControlKind::TscAhead`] puts a clock ahead, in cycles: about a third of a second, more than any real
/// machine's and less than a worker's time-out.
pub const TSC_AHEAD_CYCLES: u64 = 1 << 30;
