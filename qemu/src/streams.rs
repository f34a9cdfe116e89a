//! The streams from the VMM, read on one thread as they become ready.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdout};
use std::time::Duration;

use host::CancelToken;
use host::process::{Process, Wake, wait};

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Control,
    Stderr,
    Serial,
    Trace,
}

/// The streams in the order in which they are read.
const SOURCES: [Source; 4] = [Source::Control, Source::Stderr, Source::Serial, Source::Trace];

/// The result of a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// This number of bytes of a stream.
    Bytes(Source, usize),
    /// The VMM has ended, and all of its output has been read.
    Exit,
    /// Nothing: the timeout passed, a signal came, or the run was cancelled.
    Nothing,
}

/// Our end of the serial port.
#[derive(Debug)]
pub(crate) enum SerialEnd {
    /// It prints.
    Pipe(ChildStdout),
    /// It prints, and takes input.
    Socket(UnixStream),
}

impl Read for SerialEnd {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Pipe(pipe) => pipe.read(buffer),
            Self::Socket(socket) => socket.read(buffer),
        }
    }
}

impl AsFd for SerialEnd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Pipe(pipe) => pipe.as_fd(),
            Self::Socket(socket) => socket.as_fd(),
        }
    }
}

/// The VMM's ends of control, messages, serial port and trace. A stream that has ended, or is not taken, is `None`.
#[derive(Debug)]
pub(crate) struct Streams {
    control: Option<UnixStream>,
    stderr: Option<ChildStderr>,
    serial: Option<SerialEnd>,
    trace: Option<File>,
}

impl Streams {
    pub(crate) fn new(control: UnixStream, stderr: Option<ChildStderr>, serial: Option<SerialEnd>) -> Self {
        if let Some(SerialEnd::Pipe(serial)) = &serial {
            // The guest waits while the pipe is full, so this asks for the largest size that an ordinary user may
            // set. If that fails, the default will do.
            let _ = rustix::pipe::fcntl_setpipe_size(serial, 1 << 20);
        }
        Self { control: Some(control), stderr, serial, trace: None }
    }

    /// Takes a trace as well.
    pub(crate) fn with_trace(self, trace: Option<File>) -> Self {
        Self { trace, ..self }
    }

    /// Sends one command. A closed connection is no error here: the next read reports it.
    pub(crate) fn send(&mut self, command: &str) {
        if let Some(control) = &mut self.control {
            let _ = control.write_all(command.as_bytes());
        }
    }

    /// Sends bytes to the serial port. A guest that does not take them shows that in its log.
    pub(crate) fn send_serial(&mut self, bytes: &[u8]) {
        if let Some(SerialEnd::Socket(serial)) = &mut self.serial {
            let _ = serial.write_all(bytes);
        }
    }

    /// Whether the control stream has ended, as it does when the VMM ends.
    pub(crate) fn control_ended(&self) -> bool {
        self.control.is_none()
    }

    /// Waits at most `timeout` for bytes of a stream, the end of the process, or a cancellation. A timeout of zero only
    /// reads bytes that have already arrived.
    ///
    /// Control comes first; the serial port and the trace, which can flood, come last. [`Arrival::Exit`] means that
    /// nothing is left to read.
    pub(crate) fn read(
        &mut self,
        process: &Process,
        cancel: Option<&CancelToken>,
        timeout: Duration,
        buffer: &mut [u8],
    ) -> io::Result<Arrival> {
        loop {
            let fds = [
                self.control.as_ref().map(AsFd::as_fd),
                self.stderr.as_ref().map(AsFd::as_fd),
                self.serial.as_ref().map(AsFd::as_fd),
                self.trace.as_ref().map(AsFd::as_fd),
            ];
            let source = match wait(&fds, Some(process), cancel, timeout)? {
                Wake::Stream(place) => SOURCES[place],
                Wake::Exit => return Ok(Arrival::Exit),
                Wake::Cancel | Wake::Nothing => return Ok(Arrival::Nothing),
            };
            let count = match source {
                Source::Control => read_from(&mut self.control, buffer),
                Source::Stderr => read_from(&mut self.stderr, buffer),
                Source::Serial => read_from(&mut self.serial, buffer),
                Source::Trace => read_from(&mut self.trace, buffer),
            };
            if let Some(count) = count? {
                return Ok(Arrival::Bytes(source, count));
            }
        }
    }
}

/// One read that does not block, as the stream is ready. `None` is its end; it is closed then.
fn read_from<S: Read>(stream: &mut Option<S>, buffer: &mut [u8]) -> io::Result<Option<usize>> {
    let Some(open) = stream else { return Ok(None) };
    match open.read(buffer) {
        Ok(0) => {}
        // A socket whose peer died before it read what was sent.
        Err(error) if error.kind() == io::ErrorKind::ConnectionReset => {}
        Err(error) => return Err(error),
        Ok(count) => return Ok(Some(count)),
    }
    *stream = None;
    Ok(None)
}
