//! The console: records and text on the serial ports, text on the screen. A record is printed whole, whichever CPU
//! prints it.

mod backlog;
mod ports;

use core::fmt;

use abi::wire::record::RunStatus;
use abi::wire::{Record, StreamWriter, Text, Timestamp};
use harness::Sink;
use harness::x86::tsc;
use spin::{Mutex, Once};

use crate::clock;
use crate::display::Screen;
use crate::x86::serial::Serial;
use backlog::Backlog;

pub use ports::Candidates;

struct Console {
    /// Empty without a UART: the run goes on, unseen.
    ports: [Option<Serial>; 2],
    screen: Option<Screen>,
    backlog: Backlog,
    stream: StreamWriter,
}

static CONSOLE: Mutex<Option<Console>> = Mutex::new(None);
/// The TSC at the kernel's first instruction.
static EPOCH: Once<u64> = Once::new();

/// Makes it possible to print. Ports and the screen are attached later; until then the output is kept. `epoch` is the
/// TSC at the kernel's first instruction, the time 0 of the records.
pub fn init(epoch: u64) {
    EPOCH.call_once(|| epoch);
    let (backlog, stream) = (Backlog::new(), StreamWriter::default());
    *CONSOLE.lock() = Some(Console { ports: [None, None], screen: None, backlog, stream });
}

/// Attaches a serial port, and prints to it what was printed so far.
pub fn attach(mut serial: Serial) {
    with(|console| {
        let Some(port) = console.ports.iter_mut().find(|port| port.is_none()) else { return };
        // Firmware may have left the cursor in the middle of a line, and a record begins one.
        serial.write(b"\r\n");
        serial.write(console.backlog.bytes());
        *port = Some(serial);
    });
}

/// Attaches a screen, for the text that is printed from now on.
pub fn show(screen: Screen) {
    with(|console| console.screen = Some(screen));
}

/// Frees the kept output: no further port will be attached.
pub fn settle() {
    with(|console| console.backlog.close());
}

/// The devices that records and text go to.
#[derive(Clone, Copy, Debug)]
pub struct Listeners {
    /// The ports, separated by `+`; `none` without one.
    pub serial: Text<48>,
    /// Whether there is a port.
    pub has_serial: bool,
    /// Whether there is a screen.
    pub has_screen: bool,
}

/// The devices that are attached.
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

/// The time of a record: unknown until there is a clock.
fn now() -> Timestamp {
    let since = EPOCH.get().map(|&epoch| tsc::read().saturating_sub(epoch));
    let micros = clock::get().zip(since).map(|(clock, cycles)| clock.tsc.micros(cycles));
    micros.map_or(Timestamp::UNKNOWN, Timestamp::from_micros)
}

/// What a negative control does to the line of a record.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Spoil {
    /// Nothing.
    #[default]
    Keep,
    /// It is numbered and not printed.
    Lose,
    /// Its second half is not printed, nor its line ending.
    Tear,
    /// It is printed twice.
    Double,
}

/// Decides what happens to a record's line. Only a negative control installs one.
static SPOILER: Once<fn(&Record) -> Spoil> = Once::new();

/// Lets `spoiler` decide what happens to the line of each record from now on.
pub fn spoil_with(spoiler: fn(&Record) -> Spoil) {
    SPOILER.call_once(|| spoiler);
}

/// Prints a record.
pub fn record(record: impl Into<Record>) {
    let now = now();
    let record = record.into();
    let spoil = SPOILER.get().map_or(Spoil::Keep, |spoiler| spoiler(&record));
    with(|console| {
        let line = console.stream.line(now, record);
        let line = line.as_bytes();
        match spoil {
            Spoil::Keep => console.write(line),
            Spoil::Lose => {}
            Spoil::Tear => console.send(&line[..line.len() / 2]),
            Spoil::Double => {
                console.write(line);
                console.write(line);
            }
        }
    });
}

/// The console as a sink of the shared code's records.
pub struct Records;

impl Sink for Records {
    fn record(&mut self, record: Record) {
        self::record(record);
    }
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
        // It fails only if a formatter does.
        let _ = fmt::write(console, text);
    });
}

/// Waits, with a bound, until all output has left the machine.
pub fn drain() {
    with(|console| {
        console.ports.iter_mut().flatten().for_each(Serial::drain);
    });
}

/// Takes the console from a CPU that panicked, or was stopped, while it printed.
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
    // SAFETY: only a panic comes here, after waiting far longer than any line takes. At worst a line is torn, which its
    // checksum shows.
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
