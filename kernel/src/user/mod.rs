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

impl Counts {
    /// These of a timed run, with what was refused in the `warm_up` before it: a worker's authority is the same in both.
    /// Interrupts are of the timed run alone.
    #[must_use]
    pub const fn after(self, warm_up: Self) -> Self {
        let first_refused = if warm_up.refused == 0 { self.first_refused } else { warm_up.first_refused };
        Self { refused: self.refused.saturating_add(warm_up.refused), first_refused, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::Counts;

    #[test]
    fn what_is_refused_in_the_warm_up_counts_and_its_interrupts_do_not() {
        let counts = |irqs, refused, first_refused| Counts { irqs, refused, first_refused };
        assert_eq!(counts(0, 0, 0).after(counts(3, 2, 39)), counts(0, 2, 39));
        assert_eq!(counts(1, 4, 60).after(counts(0, 2, 39)), counts(1, 6, 39));
        assert_eq!(counts(1, 4, 60).after(counts(3, 0, 0)), counts(1, 4, 60));
    }
}
