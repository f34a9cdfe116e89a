//! The console: records and text on the serial port. A record goes out whole, whatever CPU prints it.

use core::fmt;

use abi::control::ControlKind;
use abi::wire::record::RunStatus;
use abi::wire::{Record, StreamWriter, Timestamp};
use spin::{Mutex, Once};

use crate::clock;
use crate::control;
use crate::x86::serial::Serial;
use crate::x86::tsc;

struct Console {
    /// `None` where there is no UART: the run goes on, unseen.
    serial: Option<Serial>,
    stream: StreamWriter,
}

static CONSOLE: Mutex<Option<Console>> = Mutex::new(None);
/// The TSC at the kernel's first instruction.
static EPOCH: Once<u64> = Once::new();

/// Finds the serial port. `epoch` is the TSC at the kernel's first instruction, from which records tell the time.
pub fn init(epoch: u64) {
    EPOCH.call_once(|| epoch);
    let mut serial = Serial::com1();
    if let Some(serial) = &mut serial {
        // Firmware may have left the cursor in the middle of a line, and a record begins one.
        serial.write(b"\r\n");
    }
    *CONSOLE.lock() = Some(Console { serial, stream: StreamWriter::default() });
}

/// The time for a record: unknown until there is a clock.
fn now() -> Timestamp {
    let since = EPOCH.get().map(|&epoch| tsc::read().saturating_sub(epoch));
    let micros = clock::get().zip(since).map(|(clock, cycles)| clock.micros(cycles));
    micros.map_or(Timestamp::UNKNOWN, Timestamp::from_micros)
}

/// Prints a record.
pub fn record(record: impl Into<Record>) {
    let now = now();
    let record = record.into();
    let spoil =
        if matches!(record, Record::Answer(_)) { control::on_result_line() } else { ControlKind::None };
    with(|console| {
        let line = console.stream.line(now, record);
        let line = line.as_bytes();
        match spoil {
            ControlKind::LoseRecord => {}
            ControlKind::TearRecord => console.send(&line[..line.len() / 2]),
            ControlKind::DoubleRecord => {
                console.write(line);
                console.write(line);
            }
            _ => console.write(line),
        }
    });
}

/// Prints the last record.
pub fn end(status: RunStatus) {
    let now = now();
    with(|console| {
        let line = console.stream.end(now, status);
        console.write(line.as_bytes());
    });
}

/// Prints text for a person to read; line feeds in it end lines.
pub fn text(text: fmt::Arguments<'_>) {
    with(|console| {
        // Fails only where a formatter does.
        let _ = fmt::write(console, text);
    });
}

/// Waits, with a bound, until all of it has left the machine.
pub fn drain() {
    with(|console| {
        if let Some(serial) = &mut console.serial {
            serial.drain();
        }
    });
}

/// Frees the console from a CPU that panicked, or was stopped, while it printed.
pub fn seize() {
    const SPINS: u32 = 10_000_000;
    if (0..SPINS).any(|_| CONSOLE.try_lock().is_some()) {
        return;
    }
    unlock();
    text(format_args!("\n"));
}

#[expect(unsafe_code, reason = "takes the lock from a CPU that will not give it back")]
fn unlock() {
    // SAFETY: only a panic comes here, after waiting far longer than any line takes; at worst a line is torn, which
    // its checksum shows.
    unsafe { CONSOLE.force_unlock() };
}

fn with(act: impl FnOnce(&mut Console)) {
    if let Some(console) = CONSOLE.lock().as_mut() {
        act(console);
    }
}

impl Console {
    /// Sends a line.
    fn write(&mut self, line: &[u8]) {
        self.send(line);
        self.send(b"\r\n");
    }

    fn send(&mut self, bytes: &[u8]) {
        if let Some(serial) = &mut self.serial {
            serial.write(bytes);
        }
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.send(b"\r\n");
            }
            self.send(line.as_bytes());
        }
        Ok(())
    }
}
