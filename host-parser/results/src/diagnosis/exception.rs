//! An exception, in words.

use std::fmt;

use abi::exception::mnemonic;
use serde::{Deserialize, Serialize};

use super::Address;

const PAGE_FAULT: u8 = 14;

/// A page fault's error code (Intel SDM vol. 3A, "Page-Fault Exceptions").
const PRESENT: u32 = 1 << 0;
const WRITE: u32 = 1 << 1;
const FETCH: u32 = 1 << 4;

/// An exception or interrupt that a CPU took, or failed to take.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Exception {
    /// The vector.
    pub vector: u8,
    /// What raised it.
    pub raised: Raised,
    /// The error code; 0 if it has none.
    pub error_code: u32,
    /// What a page fault was about.
    pub address: Option<Address>,
    /// The instruction.
    pub rip: Address,
    /// The stack pointer.
    pub rsp: Address,
}

/// What raised an exception or interrupt.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Raised {
    /// An instruction that could not be carried out.
    ByFault,
    /// An instruction that is there to raise it.
    ByInstruction,
    /// A device, or it is not known.
    FromOutside,
}

impl fmt::Display for Exception {
    /// `#GP (error 0x32)`, `#BP by an instruction`, `#PF (write to 0x10, where nothing is mapped)`, `interrupt 0x20`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = mnemonic(self.vector.into());
        match (self.raised, self.vector, self.address) {
            (Raised::ByFault, PAGE_FAULT, Some(address)) => {
                write!(f, "#PF ({})", access(self.error_code, address))
            }
            (Raised::ByFault, ..) if self.error_code != 0 => {
                write!(f, "#{name} (error {:#x})", self.error_code)
            }
            (Raised::ByFault, ..) => write!(f, "#{name}"),
            (Raised::ByInstruction, vector, _) if vector < 32 => write!(f, "#{name} by an instruction"),
            (Raised::ByInstruction, ..) => write!(f, "int {:#x}", self.vector),
            (Raised::FromOutside, 2, _) => f.write_str("NMI"),
            (Raised::FromOutside, ..) => write!(f, "interrupt {:#x}", self.vector),
        }
    }
}

/// What was tried, and what stood against it.
fn access(error_code: u32, address: Address) -> String {
    let tried = match error_code {
        code if code & FETCH != 0 => "execution of",
        code if code & WRITE != 0 => "write to",
        _ => "read of",
    };
    let against =
        if error_code & PRESENT == 0 { "where nothing is mapped" } else { "which does not allow it" };
    format!("{tried} {address}, {against}")
}
