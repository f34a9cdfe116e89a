//! Negative controls: faults that a plan makes the kernel commit, to show that the gate notices them.
//!
//! The log of a run with a control has a `control` record and can never pass. If the gate finds nothing else wrong,
//! that is the finding.

use crate::wire::value::words;

words! {
    /// A fault of the kernel. Its target, if it has one, is a CPU's dense number.
    pub enum ControlKind {
        /// None: every plan but that of a control.
        None = "none",
        /// The first `result` record is numbered but not printed.
        LoseRecord = "lose-record",
        /// The first `result` record is printed twice.
        DoubleRecord = "double-record",
        /// The first `result` record loses its second half and its line ending.
        TearRecord = "tear-record",
        /// The kernel panics in iteration [`STRIKES_IN`], after the workers are done and before their records.
        Panic = "panic",
        /// The machine is reset at that point.
        Reset = "reset",
        /// The BSP triple-faults at that point.
        TripleFault = "triple-fault",
        /// The BSP stops at that point, with interrupts off.
        Hang = "hang",
        /// The target CPU gets no SIPI.
        SkipAp = "skip-ap",
        /// The target CPU's TSC runs ahead by 2^30 cycles. An emulated TSC cannot be set, so the kernel adds them to
        /// the readings of the warp test and of the worker.
        TscAhead = "tsc-ahead",
        /// The target CPU takes timer interrupts while it runs its timed worker.
        Interrupt = "interrupt",
        /// The kernel executes an undefined instruction at its entry, before it prints anything.
        FaultEntry = "fault-entry",
        /// Likewise, before it describes the machine.
        FaultConsole = "fault-console",
        /// Likewise, before it takes memory over.
        FaultMemory = "fault-memory",
        /// Likewise, before it reads firmware's tables.
        FaultAcpi = "fault-acpi",
        /// Likewise, before it switches the local APIC on.
        FaultBsp = "fault-bsp",
        /// Likewise, before it looks for the TSC's frequency.
        FaultClock = "fault-clock",
        /// Likewise, before it starts the other CPUs.
        FaultAps = "fault-aps",
        /// Likewise, on the target CPU, as soon as it runs the kernel.
        FaultAp = "fault-ap",
        /// Likewise, on the BSP, when the other CPUs are up.
        FaultMachine = "fault-machine",
        /// The target CPU gets interrupts whose vectors the kernel does not use, in its timed worker.
        StrayInterrupt = "stray-interrupt",
        /// The target CPU gets an NMI just before it enters its timed worker.
        Nmi = "nmi",
        /// In cases of two workers and more, the kernel reports half of each worker's time.
        HalveTimes = "halve-times",
        /// The heap is taken, so that a case with a worker on the target CPU does not fit.
        TakeHeap = "take-heap",
    }
}

/// The iteration, from 0, in which a control ends the kernel. The log must hold all records before it, unharmed.
pub const STRIKES_IN: u16 = 1;

/// The cycles by which [`ControlKind::TscAhead`] puts a clock ahead: about a third of a second. More than the skew of
/// any real machine, less than the time-out of a worker.
pub const TSC_AHEAD_CYCLES: u64 = 1 << 30;
