//! A second monitor of a guest, as a person or a cloud's software has one: it stops the guest and continues it.
//!
//! Reference: "QEMU Machine Protocol Specification", docs/interop/qmp-spec in QEMU's sources.

use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

/// How long QEMU may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to QEMU's monitor.
pub struct Monitor(BufReader<UnixStream>);

impl Monitor {
    /// QEMU's arguments for a monitor at `socket`.
    #[must_use]
    pub fn arguments(socket: &Path) -> [String; 2] {
        ["-qmp".to_owned(), format!("unix:{},server=on,wait=off", socket.display())]
    }

    /// Connects to the monitor of a guest that was started with those arguments.
    ///
    /// # Errors
    /// There is no QEMU at `socket`, or none that answers.
    pub fn connect(socket: &Path) -> io::Result<Self> {
        let stream = UnixStream::connect(socket)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let mut monitor = Self(BufReader::new(stream));
        monitor.message()?;
        monitor.execute("qmp_capabilities")?;
        Ok(monitor)
    }

    /// Executes a command without arguments, such as `stop` and `cont`.
    ///
    /// # Errors
    /// QEMU has ended, or refuses the command.
    pub fn execute(&mut self, command: &str) -> io::Result<Value> {
        self.send(&json!({ "execute": command }))
    }

    /// Executes a command of the monitor for people, such as `savevm NAME`. An empty answer means that it did.
    ///
    /// # Errors
    /// QEMU has ended, or prints what went wrong.
    pub fn execute_line(&mut self, line: &str) -> io::Result<()> {
        let arguments = json!({ "command-line": line });
        let answer = self.send(&json!({ "execute": "human-monitor-command", "arguments": arguments }))?;
        match answer.as_str() {
            Some("") => Ok(()),
            _ => Err(io::Error::other(format!("{line}: {answer}"))),
        }
    }

    fn send(&mut self, command: &Value) -> io::Result<Value> {
        self.0.get_mut().write_all(format!("{command}\n").as_bytes())?;
        loop {
            let mut message = self.message()?;
            if let Some(answer) = message.get_mut("return") {
                return Ok(answer.take());
            }
            if let Some(error) = message.get("error") {
                return Err(io::Error::other(format!("{command}: {error}")));
            }
            // Events come between a command and its answer.
        }
    }

    fn message(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}
