//! The checks of a kernel that can be left out of a build, to learn what each costs. A kernel that lacks one says so in its log.

use core::fmt;

use crate::wire::Value;
use crate::wire::value::{self, words};

words! {
    /// A check.
    pub enum Check {
        /// Whether a handle is of the generation of its slot. Without it an old handle names what is in its slot now.
        Generation = "generation",
        /// Whether a handle has the right that a call needs. Without it each handle lets its owner do all that its object can.
        Rights = "rights",
        /// Whether an object was revoked. Without it handles to it stay good.
        Revocation = "revocation",
        /// Whether registers hold the kernel's values when a call returns: they are cleared. Without it ring 3 sees them.
        Registers = "registers",
        /// Whether memory that is mapped for writing is mapped for execution elsewhere. Without it both are possible.
        WriteXorExecute = "write-xor-execute",
    }
}

impl Check {
    /// What a kernel without it gives up.
    #[must_use]
    pub const fn gives_up(self) -> &'static str {
        match self {
            Self::Generation => "an old handle names what is in its slot now",
            Self::Rights => "each handle lets its owner do all that its object can",
            Self::Revocation => "handles to a revoked object stay good",
            Self::Registers => "ring 3 sees values of the kernel after a call that returns at once",
            Self::WriteXorExecute => {
                "memory can be mapped for writing in one place and for execution in another"
            }
        }
    }
}

/// A set of [`Check`]s. The text form is their words with commas between, or `none`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Checks(u32);

impl Checks {
    /// No check.
    pub const NONE: Self = Self(0);

    /// This set, and `check` if `has`.
    #[must_use]
    pub const fn with(self, check: Check, has: bool) -> Self {
        Self(self.0 | (has as u32) << check as u32)
    }

    /// Whether `check` is in the set.
    #[must_use]
    pub const fn has(self, check: Check) -> bool {
        self.0 & (1 << check as u32) != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl fmt::Display for Checks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write(f)
    }
}

impl Value for Checks {
    const MAX_LEN: usize = value::set_len(Check::WORDS);
    const SHAPE: &'static str = "names of checks with commas between, or `none`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        value::write_set(self.0, Check::WORDS, ',', out)
    }

    fn read(text: &[u8]) -> Option<Self> {
        value::read_set(text, Check::WORDS, b',').map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_it_was_given_and_reads_as_it_is_written() {
        let set = Checks::NONE.with(Check::Rights, true).with(Check::Generation, false);
        assert!(set.has(Check::Rights) && !set.has(Check::Generation) && !set.is_empty());
        assert_eq!(Checks::parse("rights"), Some(set));
        assert_eq!(Checks::parse("none"), Some(Checks::NONE));
        assert_eq!(Checks::parse("luck"), None);
    }
}
