//! The data of a diagnosis: the evidence, each address with its place in the source.

use evidence::gate::Ended;
use serde::{Deserialize, Serialize};

use super::address::Address;
use super::exception::Exception;
use super::symbols::Place;

/// Why a guest died, as a second guest showed it.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnosis {
    /// Whether the second guest died too.
    pub recurrence: Recurrence,
    /// What it was and where, in one line.
    pub summary: String,
    /// How the second guest ended.
    pub ended: Ended,
    /// Whether it ended in a triple fault.
    pub triple_fault: bool,
    /// What came up in the kernel, the cause first, each in the delivery of the one before.
    pub exceptions: Vec<LocatedException>,
    /// What the kernel said last.
    pub panic: Option<LocatedPanic>,
    /// Where its CPUs were at its end.
    pub cpus: Vec<LocatedCpu>,
    /// Where the CPUs of the first guest were at its end; empty if that is not known.
    pub first_cpus: Vec<LocatedCpu>,
    /// Why addresses have no names, if they have none.
    pub without_symbols: Option<String>,
    /// The second guest's log and trace, and this diagnosis as text.
    pub files: Vec<String>,
}

/// Whether a second guest died as the first one did.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Recurrence {
    /// It died in the same way.
    Same,
    /// It died in another way.
    Otherwise,
    /// It did not die.
    None,
}

/// An exception and its place.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocatedException {
    /// What it was.
    #[serde(flatten)]
    pub exception: Exception,
    /// The CPU, if one was found at that very place in the end.
    pub cpu: Option<u32>,
    /// Where.
    pub place: Option<Place>,
}

/// A CPU and its place.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocatedCpu {
    /// The hypervisor's number of it.
    pub cpu: u32,
    /// The next instruction; after a HLT the one behind it.
    pub rip: Address,
    /// The privilege level.
    pub ring: u8,
    /// What it was about.
    pub state: CpuState,
    /// Where it was.
    pub place: Option<Place>,
}

/// What a CPU was about.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CpuState {
    /// It had halted with interrupts off, for good.
    Dead,
    /// It ran the kernel.
    InKernel,
    /// It ran a program.
    InProgram,
    /// It had halted until the next interrupt.
    Waiting,
}

/// A panic and its place.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LocatedPanic {
    /// The CPU.
    pub cpu: u16,
    /// File and line, by the record.
    pub at: String,
    /// What the kernel found.
    pub message: String,
    /// The function, by the symbols.
    pub place: Option<Place>,
}
