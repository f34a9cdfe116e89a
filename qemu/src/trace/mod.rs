//! QEMU's trace of a guest's exceptions, interrupts and resets (`-d int,cpu_reset`), and which of them caused which.
//!
//! Pure: any bytes give a trace, possibly empty. QEMU's log is for people and has no specification; its formats
//! are do_interrupt_all in target/i386/tcg/seg_helper.c, check_exception in target/i386/tcg/excp_helper.c,
//! x86_cpu_exec_interrupt in target/i386/tcg/sysemu/seg_helper.c and cpu_common_reset in hw/core/cpu-common.c of QEMU
//! 7.2. Events in real mode have no registers in the log, and are skipped.

mod chain;
mod read;
#[cfg(test)]
mod tests;

use serde::Serialize;

/// The events of a trace, in its order. All CPUs write into one log, so their events are interleaved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Trace {
    /// The events.
    pub events: Vec<Event>,
}

/// Something in a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Event {
    /// A CPU began to deliver an exception or an interrupt, which may have failed: then another one follows.
    Delivery(Delivery),
    /// A CPU could not deliver a double fault, and asked for a reset.
    TripleFault,
    /// A CPU was reset.
    Reset {
        /// QEMU's index of the CPU, from 0.
        cpu: u32,
    },
}

/// The beginning of an exception or interrupt, with the CPU as it was before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Delivery {
    /// The vector.
    pub vector: u8,
    /// The error code; 0 if the exception has none.
    pub error_code: u32,
    /// Its source.
    pub origin: Origin,
    /// The privilege level that it interrupted.
    pub cpl: u8,
    /// The code segment.
    pub cs: u16,
    /// The instruction that raised it, or that would have come next.
    pub rip: u64,
    /// The stack pointer.
    pub rsp: u64,
    /// The address that a page fault was about.
    pub cr2: Option<u64>,
}

/// The source of an exception or interrupt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// The CPU, which could not go on.
    Exception {
        /// The exception that was being delivered when this one came up.
        during: Option<u8>,
    },
    /// `int3`, `int` or `into`.
    Instruction,
    /// An interrupt controller.
    Interrupt,
    /// Unknown: an NMI, a machine check, or the trace lacks the line before it.
    Unknown,
}

impl Delivery {
    /// Whether the CPU raised it by itself.
    #[must_use]
    pub fn is_exception(&self) -> bool {
        matches!(self.origin, Origin::Exception { .. })
    }
}
