//! A 16550 and its like (Texas Instruments, "TL16C550C", section "Principles of Operation"; the register and bit names
//! are the `uart_16550` crate's). Every wait has a bound: a UART that is missing or stuck costs a moment, never a hang.
//! Tested over a [`Bus`].

use harness::clock::Clock;
use uart_16550::spec::registers::{FCR, ISR, LCR, LSR, MCR, MSR, offsets};

/// Access to eight registers, by number.
pub trait Bus {
    /// Reads one.
    fn read(&mut self, register: usize) -> u8;
    /// Writes one.
    fn write(&mut self, register: usize, value: u8);
    /// The TSC.
    fn cycles(&self) -> u64;
}

/// The rate that the divisor latch divides: a 1.8432 MHz clock over the 16 samples of a bit.
const DIVIDEND: u32 = 115_200;
/// Bytes that a 16550's FIFO takes when it is empty.
const FIFO_BYTES: usize = 16;
/// How long the transmitter may stay full, in microseconds, beyond the time that it needs at its rate, before it counts as
/// stuck. A VMM takes no bytes while their reader is not scheduled.
const PATIENCE_US: u64 = 250_000;
/// How much longer than a full FIFO at 115,200 baud needs, 1.4 ms, a wait may take.
const BURST_US: u64 = 4_000;
/// The rate that is assumed for the bound if the UART's rate is not known.
const SLOWEST: u32 = 9_600;

/// What has come to a UART.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Received {
    /// A byte.
    Byte(u8),
    /// Bytes that came faster than they were read, or that came wrong.
    Lost,
}

/// A UART that answers, set to 8N1, without interrupts.
pub struct Uart<B> {
    bus: B,
    /// Bytes that it accepts at once.
    room: usize,
    /// The longest wait, in TSC cycles.
    patience: u64,
    /// Set after a wait that reached its bound: every later wait would be as long.
    stuck: bool,
}

impl<B: Bus> Uart<B> {
    /// Sets it up, at `baud` or at the rate that it has; `None` if no UART answers, or if one does not drain the bytes that
    /// it holds.
    pub fn open(mut bus: B, baud: Option<u32>) -> Option<Self> {
        if !is_present(&mut bus) {
            return None;
        }
        let slower = DIVIDEND / baud.unwrap_or(SLOWEST).clamp(1, DIVIDEND);
        let patience = Clock::AT_MOST.cycles(PATIENCE_US + BURST_US * u64::from(slower));
        let mut this = Self { bus, room: 1, patience, stuck: false };
        if !this.drain() {
            return None;
        }
        let bus = &mut this.bus;
        let word = (LCR::WORD_LENGTH0 | LCR::WORD_LENGTH1).bits();
        bus.write(offsets::LCR, word);
        bus.write(offsets::IER, 0);
        if let Some(baud) = baud {
            let [low, high, ..] = (DIVIDEND / baud.clamp(1, DIVIDEND)).to_le_bytes();
            bus.write(offsets::LCR, word | LCR::DLAB.bits());
            bus.write(offsets::DLL, low);
            bus.write(offsets::DLM, high);
            bus.write(offsets::LCR, word);
        }
        // A VMM brings no more bytes at once than the trigger level has: 14.
        let levels = FCR::RX_FIFO_TRIGGER_LEVEL0 | FCR::RX_FIFO_TRIGGER_LEVEL1;
        let fifos = FCR::FIFO_ENABLE | FCR::RX_FIFO_RESET | FCR::TX_FIFO_RESET;
        bus.write(offsets::FCR, (fifos | levels).bits());
        let fifo = ISR::FIFOS_ENABLED0 | ISR::FIFOS_ENABLED1;
        if ISR::from_bits_retain(bus.read(offsets::ISR)).contains(fifo) {
            this.room = FIFO_BYTES;
        }
        // OUT2, which passes interrupts on a PC, stays off.
        bus.write(offsets::MCR, (MCR::DTR | MCR::RTS).bits());
        Some(this)
    }

    /// Sends all of `bytes`, or gives up if the transmitter stays full.
    pub fn write(&mut self, bytes: &[u8]) {
        for burst in bytes.chunks(self.room) {
            if !self.wait_for(LSR::THR_EMPTY) {
                return;
            }
            burst.iter().for_each(|&byte| self.bus.write(offsets::DATA, byte));
        }
    }

    /// Takes what has come, without waiting.
    pub fn read(&mut self) -> Option<Received> {
        let lost = LSR::OVERRUN_ERROR | LSR::PARITY_ERROR | LSR::FRAMING_ERROR | LSR::BREAK_INTERRUPT;
        // The read clears what was lost.
        let state = LSR::from_bits_retain(self.bus.read(offsets::LSR));
        if state.intersects(lost) {
            return Some(Received::Lost);
        }
        state.contains(LSR::DATA_READY).then(|| Received::Byte(self.bus.read(offsets::DATA)))
    }

    /// Waits, with the usual bound, until the last byte has left. Returns whether it has.
    pub fn drain(&mut self) -> bool {
        self.wait_for(LSR::TRANSMITTER_EMPTY)
    }

    fn wait_for(&mut self, state: LSR) -> bool {
        if self.stuck {
            return false;
        }
        let deadline = self.bus.cycles().saturating_add(self.patience);
        loop {
            // In this order: a CPU that was descheduled meanwhile looks once more.
            let late = self.bus.cycles() >= deadline;
            if LSR::from_bits_retain(self.bus.read(offsets::LSR)).contains(state) {
                return true;
            }
            if late {
                self.stuck = true;
                return false;
            }
        }
    }
}

/// Whether a UART answers: its scratch register keeps values; or, if it has none, its modem lines in loopback mode follow
/// its modem control. Neither check sends a byte.
fn is_present(bus: &mut impl Bus) -> bool {
    // With the divisor latch open, some UARTs have another register in place of register 7.
    let line_control = bus.read(offsets::LCR);
    let closed = line_control & !LCR::DLAB.bits();
    bus.write(offsets::LCR, closed);
    let scratch = bus.read(offsets::SPR);
    let keeps = [0x42, 0xbd].into_iter().all(|pattern| {
        bus.write(offsets::SPR, pattern);
        // Where no device answers, some VMMs return the byte that was written last.
        bus.write(offsets::LCR, closed);
        bus.read(offsets::SPR) == pattern
    });
    bus.write(offsets::SPR, scratch);
    keeps || loops_back(bus)
}

fn loops_back(bus: &mut impl Bus) -> bool {
    let lines = MSR::CTS | MSR::DSR | MSR::RI | MSR::CD;
    let modem_control = bus.read(offsets::MCR);
    let follows = [(MCR::RTS | MCR::OUT_2_INT_ENABLE, MSR::CTS | MSR::CD), (MCR::DTR, MSR::DSR)]
        .into_iter()
        .all(|(out, expected)| {
            bus.write(offsets::MCR, (MCR::LOOP_BACK | out).bits());
            MSR::from_bits_retain(bus.read(offsets::MSR)).intersection(lines) == expected
        });
    bus.write(offsets::MCR, modem_control);
    follows
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    /// A UART, as far as this driver can see.
    #[derive(Default)]
    struct Model {
        registers: [u8; 8],
        divisor: [u8; 2],
        sent: Vec<u8>,
        has_scratch: bool,
        has_fifo: bool,
        /// Reads of the line status until the bytes have left.
        busy_for: u32,
        busy: u32,
        stuck: bool,
        overruns: usize,
        queued: usize,
        polls: u32,
        /// What has come, the last byte first, and whether more was lost.
        came: Vec<u8>,
        lost: bool,
    }

    impl Bus for &mut Model {
        fn read(&mut self, register: usize) -> u8 {
            match register {
                offsets::LSR => {
                    self.polls += 1;
                    self.busy = self.busy.saturating_sub(1);
                    let lost = if core::mem::take(&mut self.lost) { LSR::OVERRUN_ERROR.bits() } else { 0 };
                    let came = u8::from(!self.came.is_empty()) | lost;
                    if self.busy == 0 && !self.stuck {
                        self.queued = 0;
                        came | (LSR::THR_EMPTY | LSR::TRANSMITTER_EMPTY).bits()
                    } else {
                        came
                    }
                }
                offsets::DATA => self.came.pop().unwrap_or(0xff),
                offsets::ISR => {
                    if self.has_fifo {
                        0xc1
                    } else {
                        0x01
                    }
                }
                offsets::MSR if self.registers[offsets::MCR] & 0x10 != 0 => {
                    let out = self.registers[offsets::MCR];
                    (out & 2) << 3 | (out & 1) << 5 | (out & 4) << 4 | (out & 8) << 4
                }
                offsets::MSR => 0xb0,
                offsets::SPR if !self.has_scratch => 0xff,
                _ => self.registers[register],
            }
        }

        fn write(&mut self, register: usize, value: u8) {
            if self.registers[offsets::LCR] & 0x80 != 0 && register < 2 {
                self.divisor[register] = value;
            } else if register == offsets::DATA {
                self.sent.push(value);
                self.queued += 1;
                self.overruns += usize::from(self.queued > if self.has_fifo { 16 } else { 1 });
                self.busy = self.busy_for;
            } else {
                self.registers[register] = value;
            }
        }

        fn cycles(&self) -> u64 {
            u64::from(self.polls) * CYCLES_A_POLL
        }
    }

    /// What a poll takes if a VMM answers it: a sixth of a millisecond at 6 GHz.
    const CYCLES_A_POLL: u64 = 1_000_000;

    /// A bus without a device.
    struct Nothing(u8);

    impl Bus for Nothing {
        fn read(&mut self, _: usize) -> u8 {
            self.0
        }

        fn write(&mut self, _: usize, _: u8) {}

        fn cycles(&self) -> u64 {
            0
        }
    }

    /// A bus without a device, whose VMM leaves the last byte written as the answer to a read.
    struct Echo(u8);

    impl Bus for Echo {
        fn read(&mut self, _: usize) -> u8 {
            self.0
        }

        fn write(&mut self, _: usize, value: u8) {
            self.0 = value;
        }

        fn cycles(&self) -> u64 {
            0
        }
    }

    #[test]
    fn sends_everything_and_never_more_than_fits() {
        for (has_fifo, has_scratch) in [(true, true), (false, true), (true, false), (false, false)] {
            let mut model = Model { has_fifo, has_scratch, busy_for: 5, ..Model::default() };
            let mut uart = Uart::open(&mut model, Some(9_600)).expect("it is there");
            let text: Vec<u8> = (0..100).collect();
            uart.write(&text);
            assert!(uart.drain());
            assert_eq!((&model.sent, model.overruns), (&text, 0), "FIFO {has_fifo}, scratch {has_scratch}");
            assert_eq!((model.divisor, model.registers[offsets::LCR]), ([12, 0], 3));
            assert_eq!((model.registers[offsets::MCR], model.registers[offsets::IER]), (3, 0));
        }
    }

    #[test]
    fn reads_what_has_come_and_reports_what_was_lost() {
        let mut model = Model { has_scratch: true, ..Model::default() };
        let mut uart = Uart::open(&mut model, None).expect("it is there");
        assert_eq!(uart.read(), None);
        (uart.bus.came, uart.bus.lost) = (vec![b'b', b'a'], true);
        let read = [(); 4].map(|()| uart.read());
        assert_eq!(
            read,
            [Some(Received::Lost), Some(Received::Byte(b'a')), Some(Received::Byte(b'b')), None]
        );
    }

    #[test]
    fn keeps_the_rate_if_none_is_given() {
        let mut model = Model { has_scratch: true, divisor: [3, 0], ..Model::default() };
        assert!(Uart::open(&mut model, None).is_some());
        assert_eq!(model.divisor, [3, 0]);
    }

    #[test]
    fn finds_nothing_on_an_empty_bus() {
        for byte in [0xff, 0x00, 0x60] {
            assert!(Uart::open(Nothing(byte), Some(115_200)).is_none(), "{byte:#x}");
            assert!(Uart::open(Echo(byte), Some(115_200)).is_none(), "{byte:#x}");
        }
    }

    #[test]
    fn gives_up_on_one_that_is_stuck_and_does_not_wait_again() {
        let mut model = Model { has_scratch: true, stuck: true, ..Model::default() };
        assert!(Uart::open(&mut model, Some(115_200)).is_none());
        // 254 ms, however long a poll takes.
        assert_eq!(model.polls, 1_525);

        let mut model = Model { has_scratch: true, ..Model::default() };
        let mut uart = Uart::open(&mut model, Some(115_200)).expect("it is there");
        uart.write(b"a");
        uart.bus.stuck = true;
        uart.write(&vec![b'x'; 1000]);
        let after_one = uart.bus.polls;
        uart.write(b"more");
        assert!(!uart.drain());
        assert_eq!((uart.bus.sent.len(), uart.bus.polls), (1, after_one));
    }
}
