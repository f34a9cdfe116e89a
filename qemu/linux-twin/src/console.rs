//! The output of records and text, and the input of commands: the guest's serial port, or standard output.

use std::collections::VecDeque;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use abi::wire::record::RunStatus;
use abi::wire::{Record, StreamWriter, Timestamp};
use harness::Sink;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{OptionalActions, tcdrain, tcgetattr, tcsetattr};

use crate::clock;

/// The baud rate that the kernel sets its UART to.
const BAUD: u32 = 115_200;

/// Prints records, each by one `write`, with the kernel's line endings.
pub struct Console {
    port: Port,
    stream: StreamWriter,
    /// CLOCK_MONOTONIC at the time 0 of the records.
    epoch_ns: u64,
    failed: bool,
    /// What has come and was not taken.
    received: VecDeque<u8>,
}

enum Port {
    Serial(File),
    Standard,
}

impl Console {
    /// The guest's first serial port. The records' time counts from when Linux began to count it.
    ///
    /// # Errors
    /// No such device, or not a terminal.
    pub fn serial() -> io::Result<Self> {
        let port = File::options().read(true).write(true).open("/dev/ttyS0")?;
        let mut settings = tcgetattr(&port)?;
        settings.make_raw();
        settings.set_speed(BAUD)?;
        tcsetattr(&port, OptionalActions::Now, &settings)?;
        let mut console = Self::on(Port::Serial(port), 0);
        // Firmware and Linux may have left the cursor in the middle of a line, and a record begins one.
        console.send(b"\r\n");
        Ok(console)
    }

    /// Standard output. The records' time counts from now.
    #[must_use]
    pub fn standard() -> Self {
        Self::on(Port::Standard, clock::monotonic_ns())
    }

    fn on(port: Port, epoch_ns: u64) -> Self {
        Self { port, stream: StreamWriter::default(), epoch_ns, failed: false, received: VecDeque::new() }
    }

    /// Begins a stream.
    pub fn begin(&mut self) {
        self.stream = StreamWriter::default();
    }

    /// The next byte that comes to the serial port; `None` if none comes for so long, or to standard output.
    pub fn receive(&mut self, patience: Duration) -> Option<u8> {
        let Port::Serial(port) = &mut self.port else { return None };
        if self.received.is_empty() {
            let patience = Timespec::try_from(patience).ok()?;
            poll(&mut [PollFd::new(port, PollFlags::IN)], Some(&patience)).ok().filter(|&ready| ready > 0)?;
            let mut bytes = [0; 256];
            let count = port.read(&mut bytes).ok()?;
            self.received.extend(&bytes[..count]);
        }
        self.received.pop_front()
    }

    /// Prints the last record.
    pub fn end(&mut self, status: RunStatus) {
        let line = self.stream.end(self.now(), status);
        self.send_line(line.as_bytes());
    }

    /// Prints text for a person to read; line feeds in it end lines.
    pub fn text(&mut self, text: fmt::Arguments<'_>) {
        let text = text.to_string().replace('\n', "\r\n");
        self.send(text.as_bytes());
    }

    /// Waits until all output has left the machine: a UART that still sends interrupts the CPU.
    pub fn drain(&mut self) {
        if let Port::Serial(port) = &self.port
            && tcdrain(port).is_err()
        {
            self.failed = true;
        }
    }

    /// Whether something could not be printed.
    #[must_use]
    pub const fn failed(&self) -> bool {
        self.failed
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_micros(clock::monotonic_ns().saturating_sub(self.epoch_ns) / 1_000)
    }

    fn send_line(&mut self, line: &[u8]) {
        self.send(&[line, b"\r\n"].concat());
    }

    fn send(&mut self, bytes: &[u8]) {
        let sent = match &mut self.port {
            Port::Serial(port) => port.write_all(bytes),
            Port::Standard => {
                let mut out = io::stdout().lock();
                out.write_all(bytes).and_then(|()| out.flush())
            }
        };
        self.failed |= sent.is_err();
    }
}

impl Sink for Console {
    fn record(&mut self, record: Record) {
        let line = self.stream.line(self.now(), record);
        self.send_line(line.as_bytes());
    }
}
