//! The console: records and text on the serial ports, text on the screen. A record is printed whole, whichever CPU
//! prints it.

mod backlog;
mod ports;

use core::cell::Cell;
use core::fmt;
use core::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use abi::Digest;
use abi::wire::record::{PROTOCOL, RunStatus, Start};
use abi::wire::{Hex64, Record, StreamWriter, Text, Timestamp};
use harness::Sink;
use harness::x86::{random, tsc};
use spin::{Mutex, Once};

use crate::clock;
use crate::display::Screen;
use crate::x86::serial::Serial;
use backlog::Backlog;

pub use crate::x86::uart::Received;
pub use ports::Candidates;

struct Console {
    /// Empty without a UART: the run goes on, unseen.
    ports: [Option<Serial>; 2],
    screen: Option<Screen>,
    backlog: Backlog,
    stream: StreamWriter,
}

/// How long a line may take, in microseconds: 240 bytes at 9,600 baud, on two ports, take half a second.
const LINE_US: u64 = 1_000_000;

static CONSOLE: Mutex<Option<Console>> = Mutex::new(None);
/// The first record is printed.
static STARTED: AtomicBool = AtomicBool::new(false);
/// The last record is printed.
static ENDED: AtomicBool = AtomicBool::new(false);
/// The nonce of the boot.
static NONCE: AtomicU64 = AtomicU64::new(0);
/// The TSC at the kernel's first instruction.
static EPOCH: Once<u64> = Once::new();
/// The first 8 bytes of the kernel's build ID; 0 if it has none.
static BUILD: Once<u64> = Once::new();

/// Makes it possible to print. Ports and the screen are attached later; until then the output is kept. `epoch` is the
/// TSC at the kernel's first instruction, the time 0 of the records; `build` the number of the `start` record.
pub fn init(epoch: u64, build: u64) {
    EPOCH.call_once(|| epoch);
    BUILD.call_once(|| build);
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

/// Prints the first record, unless it is printed: the boot's nonce, the plan by its digest, and the kernel's build.
pub fn begin(plan: Digest) {
    if !STARTED.swap(true, Ordering::SeqCst) {
        NONCE.store(start(plan).0, Ordering::Relaxed);
    }
}

/// The nonce of the boot.
#[must_use]
pub fn nonce() -> Hex64 {
    Hex64(NONCE.load(Ordering::Relaxed))
}

/// Begins another stream, after the last record of the one before: a machine that is up answers a command. Returns its
/// nonce.
pub fn begin_again(plan: Digest) -> Hex64 {
    with(|console| console.stream = StreamWriter::default());
    ENDED.store(false, Ordering::Release);
    start(plan)
}

fn start(plan: Digest) -> Hex64 {
    let (nonce, build) = (Hex64(random::nonce()), Hex64(BUILD.get().copied().unwrap_or(0)));
    record(Start { proto: PROTOCOL, nonce, plan, build });
    nonce
}

/// Takes what has come to a port, without waiting.
pub fn receive() -> Option<Received> {
    with(|console| console.ports.iter_mut().flatten().find_map(Serial::read)).flatten()
}

/// Makes sure that a panic is seen: opens COM1 if no port is attached yet and `may_use_ports`, and prints the first record
/// if it is missing.
pub fn open_for_panic(may_use_ports: bool) {
    let is_mute = with(|console| console.backlog.is_open() && console.ports.iter().all(Option::is_none));
    if may_use_ports && is_mute == Some(true) {
        Candidates::new(None, None).open();
    }
    begin(Digest::of(&[]));
}

/// Prints a record. After the last one there is none: the run has ended, and nothing changes its result.
pub fn record(record: impl Into<Record>) {
    print(&record.into());
}

/// The same, once in the kernel and not once for each kind of record.
#[inline(never)]
fn print(record: &Record) {
    if ENDED.load(Ordering::Acquire) {
        return;
    }
    let now = now();
    let spoil = SPOILER.get().map_or(Spoil::Keep, |spoiler| spoiler(record));
    with(|console| {
        let line = console.stream.line(now, *record);
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
    ENDED.store(true, Ordering::Release);
}

/// Prints text for a person to read; line feeds in it end lines.
pub fn text(text: fmt::Arguments<'_>) {
    with(|console| {
        // It fails only if a formatter does.
        let _ = fmt::write(console, text);
    });
}

/// Waits, with a bound, until all output has left the machine. Not if another CPU holds the console: a panic may come here
/// without it.
pub fn drain() {
    if let Some(console) = CONSOLE.try_lock().as_deref_mut().and_then(Option::as_mut) {
        console.ports.iter_mut().flatten().for_each(Serial::drain);
    }
}

/// Takes the console for a CPU that panicked. Another CPU may finish the line that it prints; then `stop_others` stops it,
/// and returns whether all have stopped. If the lock is not free by then, this CPU panicked while it printed, or the other
/// one was stopped in the middle. Returns whether the console may be used: it is not taken from a CPU that may still print.
pub fn seize(stop_others: impl FnOnce() -> bool) -> bool {
    let held = Cell::new(None);
    let is_free = clock::for_waits().spin_until(LINE_US, || {
        CONSOLE.try_lock().is_some_and(|guard| {
            held.set(Some(guard));
            true
        })
    });
    let all_stopped = stop_others();
    drop(held);
    if !is_free && all_stopped {
        unlock();
        text(format_args!("\n"));
    }
    is_free || all_stopped
}

#[expect(unsafe_code, reason = "takes the lock from a CPU that will not give it back")]
fn unlock() {
    // SAFETY: only a panic comes here, after waiting longer than any line takes and only if all other CPUs have stopped. The
    // CPU that holds the lock is this one, whose printing is never resumed, or a stopped one. At worst a line is torn,
    // which its checksum shows.
    unsafe { CONSOLE.force_unlock() };
}

fn with<R>(act: impl FnOnce(&mut Console) -> R) -> Option<R> {
    CONSOLE.lock().as_mut().map(act)
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
