//! Child processes: QEMU, the Linux twin, tools. Each leads a new process group, so that the terminal's Ctrl-C reaches
//! this program only. Each is ended by its process id, and none is left behind.
//!
//! Nothing here polls by a timer: [`wait`] sleeps until a stream is readable, the child exits, the run is cancelled, or
//! the deadline passes.

mod capture;
mod wait;

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStderr, ChildStdout, Command, ExitStatus};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, pidfd_open, waitid,
};

pub use capture::{Capture, Captured, End};
pub use wait::{Wake, wait};

/// A child process. Dropping it kills the child and everything in its process group, and waits for its end.
#[derive(Debug)]
pub struct Process {
    child: Child,
    /// Readable once the child has exited.
    exit: OwnedFd,
    /// Its status, once it has been waited for.
    status: Option<ExitStatus>,
    started: Instant,
    started_unix_ms: u64,
}

impl Process {
    /// Starts `command` as the leader of a process group.
    ///
    /// # Errors
    /// The system's error if the program cannot be started or watched.
    pub fn spawn(command: &mut Command) -> io::Result<Self> {
        let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let started_unix_ms = u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX);
        let started = Instant::now();
        let mut child = command.process_group(0).spawn()?;
        match pidfd_open(Pid::from_child(&child), PidfdFlags::empty()) {
            Ok(exit) => Ok(Self { child, exit, status: None, started, started_unix_ms }),
            Err(error) => {
                kill_group(&child);
                child.wait()?;
                Err(error.into())
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard output, if that is a pipe and has not been taken yet.
    pub fn take_stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Its standard error, if that is a pipe and has not been taken yet.
    pub fn take_stderr(&mut self) -> Option<ChildStderr> {
        self.child.stderr.take()
    }

    /// The time since its start.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The time since its start, in microseconds.
    #[must_use]
    pub fn elapsed_us(&self) -> u64 {
        u64::try_from(self.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// When it was started, in milliseconds since 1970 (UTC).
    #[must_use]
    pub const fn started_unix_ms(&self) -> u64 {
        self.started_unix_ms
    }

    /// Its exit status, once it has exited. The rest of its process group is then killed.
    ///
    /// # Errors
    /// The system's error if it cannot be waited for.
    pub fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() && !self.has_exited()? {
            return Ok(None);
        }
        self.end().map(Some)
    }

    /// Asks it to end, by SIGTERM to it alone. It may refuse, and [`Self::end`] still has to be called.
    pub fn terminate(&self) {
        if self.status.is_none() {
            let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        }
    }

    /// Kills it and its process group, and waits for it. A child that has exited keeps its status.
    ///
    /// # Errors
    /// The system's error if it cannot be waited for.
    pub fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.status {
            return Ok(status);
        }
        kill_group(&self.child);
        let status = self.child.wait()?;
        self.status = Some(status);
        Ok(status)
    }

    /// Whether it has exited. Does not reap it.
    fn has_exited(&self) -> io::Result<bool> {
        let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
        Ok(waitid(WaitId::Pid(Pid::from_child(&self.child)), options)?.is_some())
    }
}

/// The descriptor is readable once the child has exited.
impl AsFd for Process {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exit.as_fd()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A drop has no caller to report a failure to.
        let _ = self.end();
    }
}

/// Kills the group that a child leads. The child must not have been reaped, or its id could name another process.
fn kill_group(child: &Child) {
    let _ = kill_process_group(Pid::from_child(child), Signal::KILL);
}
