//! The syscalls of a worker.
//!
//! Convention: `syscall` with the number in RAX and one argument in RDI. Which registers keep their values is as for every
//! call ([`crate::object`]). A call outside the worker's [`Authority`] is refused: RAX returns [`REFUSED`],
//! the kernel counts it, and the run's result is void.

use core::fmt;

use crate::wire::Value;
use crate::wire::value::{self, words};

/// Every syscall.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u8)]
pub enum Syscall {
    /// The worker is done. Only the return stub of the kernel makes this call, on the return path of the worker. It
    /// does not return.
    Exit = 0,
}

/// The value of RAX after a refused call: -EPERM of Linux, which a reader of a trace recognises.
pub const REFUSED: u64 = -1_i64 as u64;

impl Syscall {
    /// Every call.
    pub const ALL: [Self; 1] = [Self::Exit];

    /// The number in RAX.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// The call of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|call| call.number() == number)
    }
}

words! {
    /// What a manifest can give a worker authority over.
    pub enum Right {
        /// The call [`Syscall::Exit`].
        Exit = "exit",
        /// The memory that all workers of a case share ([`crate::worker::WorkerArgs::shared`]). Without it none is mapped.
        SharedMemory = "shared-memory",
    }
}

/// What a worker may do. The text form is the names of its rights with commas between, or `none`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Authority(u32);

impl Authority {
    /// No right.
    pub const NONE: Self = Self(0);

    /// This set and `right`.
    #[must_use]
    pub const fn with(self, right: Right) -> Self {
        Self(self.0 | 1 << right as u32)
    }

    /// Whether `right` is in the set.
    #[must_use]
    pub const fn has(self, right: Right) -> bool {
        self.0 & (1 << right as u32) != 0
    }

    /// Whether the worker may make `call`.
    #[must_use]
    pub const fn allows(self, call: Syscall) -> bool {
        match call {
            Syscall::Exit => self.has(Right::Exit),
        }
    }
}

impl Value for Authority {
    const MAX_LEN: usize = value::set_len(Right::WORDS);
    const SHAPE: &'static str = "names of rights with commas between, or `none`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        value::write_set(self.0, Right::WORDS, ',', out)
    }

    fn read(text: &[u8]) -> Option<Self> {
        value::read_set(text, Right::WORDS, b',').map(Self)
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_names_and_refuses_others() {
        assert_eq!(Authority::parse("exit"), Some(Authority::NONE.with(Right::Exit)));
        assert_eq!(Authority::parse("none"), Some(Authority::NONE));
        let both = Authority::NONE.with(Right::Exit).with(Right::SharedMemory);
        assert_eq!(Authority::parse("exit,shared-memory"), Some(both));
        assert!(
            both.allows(Syscall::Exit) && !Authority::NONE.with(Right::SharedMemory).allows(Syscall::Exit)
        );
        for bad in ["", "exit,exit", "shared-memory,exit", "exit,", "fork", "Exit"] {
            assert_eq!(Authority::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn knows_no_call_that_is_not_listed() {
        assert_eq!(Syscall::from_number(0), Some(Syscall::Exit));
        assert_eq!(Syscall::from_number(1), None);
        assert_eq!(Syscall::from_number(1 << 32), None);
    }
}
