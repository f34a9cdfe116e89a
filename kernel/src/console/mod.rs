//! The console: records and text on the serial ports, text on the screen. A record goes out whole, whatever CPU prints
//! it.

mod backlog;
mod ports;

use core::fmt;

use abi::control::ControlKind;
use abi::wire::record::RunStatus;
use abi::wire::{Record, StreamWriter, Text, Timestamp};
use spin::{Mutex, Once};

use crate::clock;
use crate::control;
use crate::display::Screen;
use crate::x86::serial::Serial;
use crate::x86::tsc;
use backlog::Backlog;

pub use ports::Candidates;

struct Console {
    /// None where there is no UART: the run goes on, unseen.
    ports: [Option<Serial>; 2],
    screen: Option<Screen>,
    backlog: Backlog,
    stream: StreamWriter,
}

static CONSOLE: Mutex<Option<Console>> = Mutex::new(None);
/// The TSC at the kernel's first instruction.
static EPOCH: Once<u64> = Once::new();

/// Makes it possible to print; what is printed goes to the ports and the screen that come later. `epoch` is the TSC at
/// the kernel's first instruction, from which records tell the time.
pub fn init(epoch: u64) {
    EPOCH.call_once(|| epoch);
    let (backlog, stream) = (Backlog::new(), StreamWriter::default());
    *CONSOLE.lock() = Some(Console { ports: [None, None], screen: None, backlog, stream });
}

/// Talks to one more serial port, beginning with what was printed so far.
pub fn attach(mut serial: Serial) {
    with(|console| {
        let Some(port) = console.ports.iter_mut().find(|port| port.is_none()) else { return };
        // Firmware may have left the cursor in the middle of a line, and a record begins one.
        serial.write(b"\r\n");
        serial.write(console.backlog.bytes());
        *port = Some(serial);
    });
}

/// Shows the text that is printed from now on.
pub fn show(screen: Screen) {
    with(|console| console.screen = Some(screen));
}

/// No further port will come.
pub fn settle() {
    with(|console| console.backlog.close());
}

/// Where records and text go.
#[derive(Clone, Copy, Debug)]
pub struct Listeners {
    /// The ports, with a `+` between; `none` without one.
    pub serial: Text<48>,
    /// Whether there is a port.
    pub has_serial: bool,
    /// Whether there is a screen.
    pub has_screen: bool,
}

/// Who listens.
#[must_use]
pub fn listeners() -> Listeners {
    let mut listeners = Listeners { serial: Text::new("none"), has_serial: false, has_screen: false };
    with(|console| {
        let mut names = console.ports.iter().flatten().map(|port| port.registers);
        let serial = match (names.next(), names.next()) {
            (Some(one), Some(other)) => Some(Text::format(format_args!("{one}+{other}"))),
            (Some(one), None) => Some(Text::format(format_args!("{one}"))),
            (None, _) => None,
        };
        listeners = Listeners {
            has_serial: serial.is_some(),
            has_screen: console.screen.is_some(),
            serial: serial.unwrap_or(listeners.serial),
        };
    });
    listeners
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
        console.ports.iter_mut().flatten().for_each(Serial::drain);
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
        self.backlog.keep(bytes);
        self.ports.iter_mut().flatten().for_each(|port| port.write(bytes));
    }
}

impl fmt::Write for Console {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if let Some(screen) = &mut self.screen {
            screen.write_str(text)?;
        }
        for (i, line) in text.split('\n').enumerate() {
            if i > 0 {
                self.send(b"\r\n");
            }
            self.send(line.as_bytes());
        }
        Ok(())
    }
}
