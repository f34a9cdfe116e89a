//! What the machine-check banks report (Intel SDM vol. 3B, "Machine-Check Architecture"; AMD APM vol. 2, "Machine Check
//! Architecture").

use core::fmt;

use super::probe::read_msr;

/// The number of banks, in bits 0 to 7.
const IA32_MCG_CAP: u32 = 0x179;
/// The status of bank 0. That of each further bank is 4 registers on.
const IA32_MC0_STATUS: u32 = 0x401;
/// Status: it describes an error.
const VALID: u64 = 1 << 63;

/// The first bank that has an error; displayed, it is part of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ErrorBank(Option<(u32, u64)>);

impl ErrorBank {
    /// Reads this CPU's banks. A register that the CPU does not have, or a hypervisor refuses, has no error.
    #[must_use]
    pub fn read() -> Self {
        Self::first(read_msr)
    }

    fn first(read: impl Fn(u32) -> Option<u64>) -> Self {
        let banks = read(IA32_MCG_CAP).unwrap_or(0) & 0xff;
        let status = |bank| read(IA32_MC0_STATUS + 4 * bank).filter(|status| status & VALID != 0);
        Self((0..u32::try_from(banks).unwrap_or(0)).find_map(|bank| Some((bank, status(bank)?))))
    }
}

impl fmt::Display for ErrorBank {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some((bank, status)) => write!(f, "bank {bank} status {status:#x}"),
            None => f.write_str("no bank has an error"),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn names_the_first_bank_with_an_error() {
        let read = |register| match register {
            IA32_MCG_CAP => Some(0x0100_0c0a),
            0x40d => Some(VALID | 0x17a),
            0x411 => Some(VALID),
            0x401 | 0x405 => Some(0x5),
            _ => None,
        };
        assert_eq!(ErrorBank::first(read).to_string(), "bank 3 status 0x800000000000017a");
        assert_eq!(ErrorBank::first(|_| None).to_string(), "no bank has an error");
    }
}
