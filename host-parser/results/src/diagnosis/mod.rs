//! Why a guest died, and where in the kernel. A second guest is run and traced to find that out.
//!
//! Owns what a diagnosis holds and its words. Refuses to know how the second guest was run or traced: the code that ran
//! it fills in [`Seen`]. A diagnosis stands beside a verdict and never changes it, since it is of another guest.

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
