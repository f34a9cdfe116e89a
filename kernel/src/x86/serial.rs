//! COM1, written to with a bound on every wait: a port that is not there costs a moment, never a hang.
#![expect(unsafe_code, reason = "claims the ports of COM1")]

use uart_16550::backend::PioBackend;
use uart_16550::spec::registers::LSR;
use uart_16550::{Config, Uart16550};

/// The standard port of COM1.
const COM1: u16 = 0x3f8;

/// How often the transmitter is asked before a byte is given up: at 115,200 baud a full FIFO drains in 1.4 ms, and a
/// read of a legacy port takes at least half a microsecond.
const SPINS: u32 = 100_000;

/// A UART that is there, set to 115,200 8N1.
pub struct Serial {
    uart: Uart16550<PioBackend>,
    /// Set once the transmitter has stayed full for the whole wait: every later wait would be as long.
    stuck: bool,
}

impl Serial {
    /// Finds and sets up COM1; `None` where no UART answers.
    pub fn com1() -> Option<Self> {
        // SAFETY: 0x3f8..=0x3ff are COM1's on every PC; nothing else in this kernel touches them.
        let mut uart = unsafe { Uart16550::new_port(COM1) }.ok()?;
        // `init` waits for the transmitter without a bound, so that wait is done here, with one.
        if !uart.check_present() || !drained(&mut uart) {
            return None;
        }
        uart.init(Config::default()).ok()?;
        Some(Self { uart, stuck: false })
    }

    /// Sends all of `bytes`, or gives up where the transmitter stays full.
    pub fn write(&mut self, mut bytes: &[u8]) {
        let mut spins = 0;
        while !bytes.is_empty() && !self.stuck {
            let sent = self.uart.send_bytes(bytes);
            bytes = &bytes[sent..];
            spins = if sent == 0 { spins + 1 } else { 0 };
            self.stuck = spins > SPINS;
        }
    }

    /// Waits, with the usual bound, until the last byte has left the UART.
    pub fn drain(&mut self) {
        drained(&mut self.uart);
    }
}

fn drained(uart: &mut Uart16550<PioBackend>) -> bool {
    (0..SPINS).any(|_| uart.lsr().contains(LSR::TRANSMITTER_EMPTY))
}
