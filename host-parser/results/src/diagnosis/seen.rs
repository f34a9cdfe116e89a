//! What was seen of a guest's death: plain data, filled in by the code that ran it.

use abi::exit::GuestExit;
use abi::wire::Record;

use super::{Address, Exception};
use evidence::gate::Ended;
use evidence::transcript::Transcript;

/// What was seen of a guest. Of the one that died first little is known as a rule: it was not traced.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// How it ended.
    pub ended: Ended,
    /// What led to a triple fault, the cause first; empty if unknown, `None` if there was none.
    pub triple_fault: Option<Vec<Exception>>,
    /// The first exception of the kernel itself, and what came up in its delivery.
    pub in_kernel: Vec<Exception>,
    /// The places of its CPUs at its end, if known.
    pub cpus: Vec<CpuSeen>,
    /// Its `panic` record.
    pub panic: Option<PanicSeen>,
}

/// Where a CPU was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CpuSeen {
    /// The hypervisor's number of it.
    pub cpu: u32,
    /// The next instruction.
    pub rip: Address,
    /// The stack pointer.
    pub rsp: Address,
    /// The privilege level.
    pub ring: u8,
    /// Whether it had halted.
    pub halted: bool,
    /// Whether it would have taken an interrupt.
    pub takes_interrupts: bool,
}

/// What a `panic` record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PanicSeen {
    /// The CPU.
    pub cpu: u16,
    /// File and line.
    pub at: String,
    /// What it found.
    pub message: String,
}

impl PanicSeen {
    /// The first of a log.
    #[must_use]
    pub fn in_log(log: &[u8]) -> Option<Self> {
        let transcript = Transcript::read(log);
        let mut records = transcript.boots.iter().flat_map(|boot| &boot.records);
        records.find_map(|located| match located.envelope.record {
            Record::Panic(panic) => {
                Some(Self { cpu: panic.cpu.0, at: panic.at.to_string(), message: panic.message.to_string() })
            }
            _ => None,
        })
    }
}

impl CpuSeen {
    /// The instruction that it was at: a HLT is over as soon as it halts.
    pub(super) fn instruction(&self) -> u64 {
        self.rip.0.wrapping_sub(u64::from(self.halted))
    }
}

/// Whether a guest that ended so has died, so that it is worth asking why: not where it ended by its own plan, was
/// stopped, or its hypervisor failed.
#[must_use]
pub fn is_death(ended: &Ended) -> bool {
    match ended {
        Ended::DebugExit { value } => *value == GuestExit::Panic.value(),
        Ended::Reset | Ended::Shutdown | Ended::Panicked | Ended::InternalError { .. } | Ended::Deadline => {
            true
        }
        Ended::ResetToEnd
        | Ended::Unknown
        | Ended::Cancelled
        | Ended::SerialOverflow { .. }
        | Ended::Died { .. } => false,
    }
}
