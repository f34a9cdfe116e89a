//! The serial ports that may be used. A port in memory has to wait until it can be mapped.

use abi::config::{self, Registers, Uart};
use x86_64::VirtAddr;

use super::attach as attach_port;
use crate::mem::{KernelSpace, OutOfMemory};
use crate::x86::serial::Serial;

/// The UARTs that may be used, before they are probed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Candidates {
    uarts: [Option<Uart>; 2],
}

impl Candidates {
    /// None at all.
    pub const NONE: Self = Self { uarts: [None; 2] };

    /// The port of `configured`. Without it, COM1, which nearly every machine has, and the port that firmware names in its
    /// SPCR: the records appear on both. If that is COM1 itself, firmware's rate is kept.
    #[must_use]
    pub fn new(configured: Option<config::Serial>, spcr: Option<Uart>) -> Self {
        let uarts = match (configured, spcr) {
            (Some(config::Serial::None), _) => return Self::NONE,
            (Some(config::Serial::Uart(uart)), _) => [Some(uart), None],
            (None, Some(spcr)) if spcr.registers == Uart::COM1.registers => [Some(spcr), None],
            (None, spcr) => [Some(Uart::COM1), spcr],
        };
        Self { uarts }
    }

    /// Attaches the candidates at I/O ports.
    pub fn open(self) {
        for uart in self.uarts.into_iter().flatten() {
            if let Registers::Port(_) = uart.registers {
                attach(&uart, None);
            }
        }
    }

    /// Attaches the candidates in memory, but for those at an address at which no registers can be.
    ///
    /// # Errors
    /// No memory for page tables.
    pub fn open_mapped(self, space: &mut KernelSpace) -> Result<(), OutOfMemory> {
        for uart in self.uarts.into_iter().flatten() {
            if let Registers::Memory { address, .. } = uart.registers
                && let Some(mapped) = space.map_device(address)?
            {
                attach(&uart, Some(mapped));
            }
        }
        Ok(())
    }
}

fn attach(uart: &Uart, mapped: Option<VirtAddr>) {
    if let Some(serial) = Serial::open(uart, mapped) {
        attach_port(serial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COM2: Uart = Uart { registers: Registers::Port(0x2f8), baud: Some(9_600) };

    fn candidates(configured: Option<config::Serial>, spcr: Option<Uart>) -> [Option<Uart>; 2] {
        Candidates::new(configured, spcr).uarts
    }

    #[test]
    fn uses_com1_and_the_port_that_firmware_names() {
        assert_eq!(candidates(None, None), [Some(Uart::COM1), None]);
        assert_eq!(candidates(None, Some(COM2)), [Some(Uart::COM1), Some(COM2)]);
        let as_it_is = Uart { baud: Some(9_600), ..Uart::COM1 };
        assert_eq!(candidates(None, Some(as_it_is)), [Some(as_it_is), None]);
    }

    #[test]
    fn uses_the_configured_port_and_no_other() {
        let wanted = Some(config::Serial::Uart(COM2));
        assert_eq!(candidates(wanted, Some(Uart::COM1)), [Some(COM2), None]);
        assert_eq!(candidates(Some(config::Serial::None), Some(COM2)), [None, None]);
    }
}
