//! QEMU's process: started in a group of its own, and never left behind.

use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::streams::Streams;
use crate::{CommandLine, QemuError};

/// A running QEMU. Dropping it kills it and waits for its end.
#[derive(Debug)]
pub(crate) struct QemuProcess {
    child: Child,
    ended: Option<ExitStatus>,
}

impl QemuProcess {
    /// Starts QEMU with a control socket as its standard input and pipes as its outputs.
    pub(crate) fn spawn(line: &CommandLine) -> Result<(Self, Streams), QemuError> {
        let failed =
            |source| QemuError::Process { path: line.program().to_owned(), doing: "starting it", source };
        let (ours, theirs) = UnixStream::pair().map_err(failed)?;
        let mut command = match dies_with_parent() {
            true => {
                let mut launcher = Command::new("setpriv");
                launcher.args(PARENT_DEATH_SIGNAL).arg(line.program());
                launcher
            }
            false => Command::new(line.program()),
        };
        command
            .args(line.arguments())
            .stdin(OwnedFd::from(theirs))
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        // Its own group: the terminal's Ctrl-C is for this program, which ends QEMU after it has read what there is.
        let mut child = command.process_group(0).spawn().map_err(failed)?;
        let streams = Streams::new(ours, child.stderr.take(), child.stdout.take());
        Ok((Self { child, ended: None }, streams))
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its exit status, once it has ended.
    pub(crate) fn ended(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait()?;
        }
        Ok(self.ended)
    }

    /// Kills it unless it has ended, and waits.
    pub(crate) fn end(&mut self) -> io::Result<ExitStatus> {
        if let Some(status) = self.ended()? {
            return Ok(status);
        }
        // Not waited for yet, so the id is still this child's. Its group holds whatever it started.
        if let Some(group) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let status = self.child.wait()?;
        self.ended = Some(status);
        Ok(status)
    }
}

impl Drop for QemuProcess {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// What a program prints for one argument, both streams together, and the end of the program.
pub(crate) fn output_of(program: &Path, argument: &str, patience: Duration) -> io::Result<String> {
    let (mut ours, theirs) = UnixStream::pair()?;
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null());
    command.stdout(OwnedFd::from(theirs.try_clone()?)).stderr(OwnedFd::from(theirs));
    let child = command.process_group(0).spawn()?;
    // It holds our copies of the far end, without which the output would never end.
    drop(command);
    let mut process = QemuProcess { child, ended: None };
    let started = Instant::now();
    let mut output = Vec::new();
    let mut buffer = [0; 4096];
    while output.len() < OUTPUT_BYTES {
        let left = patience.saturating_sub(started.elapsed());
        if left.is_zero() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, format!("no end of it within {patience:?}")));
        }
        ours.set_read_timeout(Some(left))?;
        match ours.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => output.extend_from_slice(&buffer[..count]),
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => {}
            Err(error) => return Err(error),
        }
    }
    process.end()?;
    Ok(String::from_utf8_lossy(&output).into_owned())
}

/// A program that prints more than this is not answering the question.
const OUTPUT_BYTES: usize = 64 << 10;

const PARENT_DEATH_SIGNAL: [&str; 3] = ["--pdeathsig", "KILL", "--"];

/// Whether `setpriv` is there and can ask the kernel to kill QEMU when the thread that started it ends.
///
/// `setpriv` becomes QEMU by exec, so the process id is QEMU's. The request cannot be made from here: it would have to
/// run between fork and exec, and std offers nothing safe for that. BusyBox has a `setpriv` without this option, hence
/// the trial.
pub(crate) fn dies_with_parent() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let mut trial = Command::new("setpriv");
        trial.args(PARENT_DEATH_SIGNAL).arg("true");
        trial.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        trial.status().is_ok_and(|status| status.success())
    })
}
