//! The streams that come from QEMU, read as they become ready on one thread.

use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::{ChildStderr, ChildStdout};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// Which stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    Qmp,
    Stderr,
    Serial,
    Trace,
}

/// QEMU's ends of control, messages, serial port and trace. A stream that has ended, or is not taken, is `None`.
#[derive(Debug)]
pub(crate) struct Streams {
    qmp: Option<UnixStream>,
    stderr: Option<ChildStderr>,
    serial: Option<ChildStdout>,
    trace: Option<File>,
}

impl Streams {
    pub(crate) fn new(qmp: UnixStream, stderr: Option<ChildStderr>, serial: Option<ChildStdout>) -> Self {
        if let Some(serial) = &serial {
            // The guest waits when the pipe is full, so the largest an ordinary user may have; the default will do.
            let _ = rustix::pipe::fcntl_setpipe_size(serial, 1 << 20);
        }
        Self { qmp: Some(qmp), stderr, serial, trace: None }
    }

    /// Takes a trace as well.
    pub(crate) fn with_trace(self, trace: Option<File>) -> Self {
        Self { trace, ..self }
    }

    /// Sends one command. A QEMU that has hung up is no error: its end shows on reading.
    pub(crate) fn send(&mut self, command: &str) {
        if let Some(qmp) = &mut self.qmp {
            let _ = qmp.write_all(command.as_bytes());
        }
    }

    /// Whether the control stream has ended, as it does when QEMU ends.
    pub(crate) fn qmp_ended(&self) -> bool {
        self.qmp.is_none()
    }

    /// Waits for the next bytes of any stream, at most `timeout`; a zero timeout takes what is there. `None` is that
    /// nothing came, or a signal did.
    ///
    /// Control comes first; the serial port and the trace, which can flood, last.
    pub(crate) fn read(
        &mut self,
        timeout: Duration,
        buffer: &mut [u8],
    ) -> io::Result<Option<(Source, usize)>> {
        loop {
            let Some(source) = self.ready(timeout)? else { return Ok(None) };
            let result = match source {
                Source::Qmp => read_from(&mut self.qmp, buffer),
                Source::Stderr => read_from(&mut self.stderr, buffer),
                Source::Serial => read_from(&mut self.serial, buffer),
                Source::Trace => read_from(&mut self.trace, buffer),
            };
            if let Some(count) = result? {
                return Ok(Some((source, count)));
            }
        }
    }

    fn ready(&self, timeout: Duration) -> io::Result<Option<Source>> {
        let fds: [(Source, Option<BorrowedFd<'_>>); 4] = [
            (Source::Qmp, self.qmp.as_ref().map(AsFd::as_fd)),
            (Source::Stderr, self.stderr.as_ref().map(AsFd::as_fd)),
            (Source::Serial, self.serial.as_ref().map(AsFd::as_fd)),
            (Source::Trace, self.trace.as_ref().map(AsFd::as_fd)),
        ];
        let (sources, mut polled): (Vec<Source>, Vec<PollFd<'_>>) = fds
            .into_iter()
            .filter_map(|(source, fd)| Some((source, PollFd::from_borrowed_fd(fd?, PollFlags::IN))))
            .unzip();
        let timeout = Timespec::try_from(timeout).map_err(|_| Errno::INVAL)?;
        match poll(&mut polled, Some(&timeout)) {
            Err(Errno::INTR) => return Ok(None),
            result => result?,
        };
        // HUP and ERR count as ready too: reading says which.
        let ready = polled.iter().position(|fd| !fd.revents().is_empty());
        Ok(ready.map(|index| sources[index]))
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
