//! Why a guest died, by a second guest that was run to see just that, and where in the kernel.
//!
//! Owns what such a diagnosis says and how it is told. Refuses to know how the second guest was run or traced: whoever
//! ran it fills in [`Seen`]. A diagnosis is told beside a verdict and never changes it: the guest it is of is another
//! one.

mod address;
mod diagnose;
mod exception;
mod report;
mod seen;
mod symbols;
#[cfg(test)]
mod tests;
mod words;

pub use address::Address;
pub use exception::{Exception, Raised};
pub use report::{CpuState, Diagnosis, LocatedCpu, LocatedException, LocatedPanic, Recurrence};
pub use seen::{CpuSeen, PanicSeen, Seen, is_death};
pub use symbols::{Frame, Place, Symbols, SymbolsError};
