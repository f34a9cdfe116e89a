//! Serial ports, at I/O ports and in memory.
#![expect(unsafe_code, reason = "reads and writes the registers of UARTs")]

use abi::config::{self, Registers};
use harness::x86::tsc;
use x86_64::VirtAddr;

use super::port;
use super::uart::{Bus, Received, Uart};

/// A serial port that answers.
pub struct Serial {
    /// Its registers.
    pub registers: Registers,
    uart: Uart<Wires>,
}

impl Serial {
    /// Finds and sets up a UART. One in memory is at `mapped`, uncached. `None` if none answers.
    #[must_use]
    pub fn open(uart: &config::Uart, mapped: Option<VirtAddr>) -> Option<Self> {
        let registers = uart.registers;
        let wires = match registers {
            Registers::Port(first) => Wires::Ports(first),
            Registers::Memory { stride, wide, .. } => {
                Wires::Memory { first: mapped?, stride: u64::from(stride), wide }
            }
        };
        Some(Self { registers, uart: Uart::open(wires, uart.baud)? })
    }

    /// Sends all of `bytes`, or gives up if the transmitter stays full.
    pub fn write(&mut self, bytes: &[u8]) {
        self.uart.write(bytes);
    }

    /// Takes what has come, without waiting.
    pub fn read(&mut self) -> Option<Received> {
        self.uart.read()
    }

    /// Waits, with a bound, until the last byte has left.
    pub fn drain(&mut self) {
        self.uart.drain();
    }
}

/// How a UART's registers are reached.
#[derive(Clone, Copy)]
enum Wires {
    Ports(u16),
    Memory { first: VirtAddr, stride: u64, wide: bool },
}

impl Bus for Wires {
    fn read(&mut self, register: usize) -> u8 {
        match *self {
            // SAFETY: the ports are COM1's, or named as a UART's by the configuration or by firmware. Only this module uses
            // them.
            Self::Ports(first) => unsafe { port::read_u8(first + number(register)) },
            Self::Memory { first, stride, wide } => {
                let at = first + stride * u64::from(number(register));
                if wide {
                    // SAFETY: as above, and `Serial::open` was given the mapping; `config::is_address` checked that the
                    // register is in its page and, since the stride is a multiple of four, aligned.
                    return unsafe { at.as_ptr::<u32>().read_volatile() }.to_le_bytes()[0];
                }
                // SAFETY: as above.
                unsafe { at.as_ptr::<u8>().read_volatile() }
            }
        }
    }

    fn write(&mut self, register: usize, value: u8) {
        match *self {
            // SAFETY: as in `read`.
            Self::Ports(first) => unsafe { port::write_u8(first + number(register), value) },
            Self::Memory { first, stride, wide } => {
                let at = first + stride * u64::from(number(register));
                if wide {
                    // SAFETY: as in `read`.
                    unsafe { at.as_mut_ptr::<u32>().write_volatile(u32::from(value)) };
                } else {
                    // SAFETY: as in `read`.
                    unsafe { at.as_mut_ptr::<u8>().write_volatile(value) };
                }
            }
        }
    }

    fn cycles(&self) -> u64 {
        tsc::read()
    }
}

/// A register's number, below eight.
fn number(register: usize) -> u16 {
    u16::try_from(register & 7).unwrap_or(0)
}
