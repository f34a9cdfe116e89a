//! The syscalls of a worker.
//!
//! Convention: `syscall` with the number in RAX and one argument in RDI. The instruction overwrites RCX and R11 (AMD64
//! APM vol. 2, "SYSCALL and SYSRET"). A call outside the worker's [`Authority`] is refused: RAX returns [`REFUSED`],
//! the kernel counts it, and the run's result is void.

use core::fmt;

use crate::wire::Value;

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

/// The calls that a worker may make. The text form is their names with commas between, or `none`.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Authority(u32);

impl Syscall {
    /// Every call, and its name.
    pub const ALL: [(Self, &'static str); 1] = [(Self::Exit, "exit")];

    /// The number in RAX.
    #[must_use]
    pub const fn number(self) -> u64 {
        self as u64
    }

    /// The call of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().map(|(call, _)| call).find(|call| call.number() == number)
    }
}

impl Authority {
    /// No call.
    pub const NONE: Self = Self(0);

    /// This set and `call`.
    #[must_use]
    pub const fn with(self, call: Syscall) -> Self {
        Self(self.0 | 1 << call as u32)
    }

    /// Whether `call` is in the set.
    #[must_use]
    pub const fn allows(self, call: Syscall) -> bool {
        self.0 & (1 << call as u32) != 0
    }

    fn names(self) -> impl Iterator<Item = &'static str> {
        Syscall::ALL.into_iter().filter(move |&(call, _)| self.allows(call)).map(|(_, name)| name)
    }
}

impl Value for Authority {
    const MAX_LEN: usize = 32;
    const SHAPE: &'static str = "names of calls with commas between, or `none`";

    fn write(&self, out: &mut dyn fmt::Write) -> fmt::Result {
        if *self == Self::NONE {
            return out.write_str("none");
        }
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                out.write_char(',')?;
            }
            out.write_str(name)?;
        }
        Ok(())
    }

    fn read(text: &[u8]) -> Option<Self> {
        if text == b"none" {
            return Some(Self::NONE);
        }
        let mut set = Self::NONE;
        for name in text.split(|&byte| byte == b',') {
            let (call, _) = Syscall::ALL.into_iter().find(|&(_, known)| known.as_bytes() == name)?;
            if set.allows(call) {
                return None;
            }
            set = set.with(call);
        }
        Some(set)
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
        assert_eq!(Authority::parse("exit"), Some(Authority::NONE.with(Syscall::Exit)));
        assert_eq!(Authority::parse("none"), Some(Authority::NONE));
        for bad in ["", "exit,exit", "exit,", "fork", "Exit"] {
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
