//! Ring 3: a worker's image, its address space, the way in, and what comes out.
//!
//! Entering a worker is a function call that returns why it came back ([`enter`]). Whatever a worker does, the kernel
//! gets an [`Exit`]; nothing it does is a panic.

pub mod elf;
mod enter;
pub mod layout;
mod space;
mod traps;

pub use enter::{Entry, Terms, UserState, enter};
pub use space::{AddressSpace, SpaceError};
pub use traps::on_trap;

/// Why a worker came back.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Exit {
    /// It returned, and the return stub made the exit call.
    Returned,
    /// It took an exception.
    Fault(Fault),
    /// Its time was up.
    Timeout,
}

/// An exception in ring 3.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Fault {
    /// The exception's number.
    pub vector: u64,
    /// Its error code, or 0.
    pub error: u64,
    /// The instruction.
    pub rip: u64,
    /// CR2 of a page fault, else 0.
    pub address: u64,
}

/// What the kernel counted while a worker ran.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Interrupts.
    pub irqs: u16,
    /// Syscalls outside of its authority.
    pub refused: u32,
    /// The first of these.
    pub first_refused: u64,
}
