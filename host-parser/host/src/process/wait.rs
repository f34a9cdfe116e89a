//! One wait for all events of a child process.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::Process;
use crate::CancelToken;

/// What ended a wait.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Wake {
    /// The stream at this index is readable, or at its end.
    Stream(usize),
    /// The process has exited, and its streams have nothing left to read.
    Exit,
    /// The token is cancelled.
    Cancel,
    /// The timeout passed, or a signal came.
    Nothing,
}

/// Waits until a stream is readable, the process has exited, the token is cancelled, or `timeout` passes. If several are
/// true, returns the first in this order. Skips `None` in `streams`.
///
/// # Errors
/// The system's error if it cannot wait.
pub fn wait(
    streams: &[Option<BorrowedFd<'_>>],
    process: Option<&Process>,
    cancel: Option<&CancelToken>,
    timeout: Duration,
) -> io::Result<Wake> {
    let open =
        streams.iter().enumerate().filter_map(|(place, stream)| Some((Wake::Stream(place), (*stream)?)));
    let exit = process.map(|process| (Wake::Exit, process.as_fd()));
    let cancel = cancel.map(|cancel| (Wake::Cancel, cancel.as_fd()));
    let (wakes, mut polled): (Vec<Wake>, Vec<PollFd<'_>>) = open
        .chain(exit)
        .chain(cancel)
        .map(|(wake, descriptor)| (wake, PollFd::from_borrowed_fd(descriptor, PollFlags::IN)))
        .unzip();
    // A timeout too long for the system is as good as none.
    let timeout = Timespec::try_from(timeout).ok();
    match poll(&mut polled, timeout.as_ref()) {
        Err(Errno::INTR) => return Ok(Wake::Nothing),
        result => result?,
    };
    // HUP and ERR count as ready too: the next read shows which it is.
    let ready = polled.iter().position(|descriptor| !descriptor.revents().is_empty());
    Ok(ready.map_or(Wake::Nothing, |place| wakes[place]))
}
