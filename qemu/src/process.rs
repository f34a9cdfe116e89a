//! How a VMM's process is started.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use host::process::{Capture, End, Process};

use crate::streams::Streams;
use crate::{CommandLine, QemuError};

/// Starts a VMM with a control socket as its standard input and pipes as its outputs.
pub(crate) fn start(line: &CommandLine) -> Result<(Process, Streams), QemuError> {
    let started = UnixStream::pair().and_then(|(ours, theirs)| {
        let mut command = launcher(line.program());
        command.args(line.arguments()).stdin(OwnedFd::from(theirs));
        let mut process = Process::spawn(command.stdout(Stdio::piped()).stderr(Stdio::piped()))?;
        let streams = Streams::new(ours, process.take_stderr(), process.take_stdout());
        Ok((process, streams))
    });
    let failed =
        |source| QemuError::Process { path: line.program().to_owned(), doing: "starting it", source };
    started.map_err(failed)
}

/// A command for `program`. If `setpriv` can do it, the kernel kills the program when this one dies.
pub(crate) fn launcher(program: &Path) -> Command {
    if !dies_with_parent() {
        return Command::new(program);
    }
    let mut launcher = Command::new("setpriv");
    launcher.args(PARENT_DEATH_SIGNAL).arg(program);
    launcher
}

/// Runs a program with one argument, and returns its standard output followed by its standard error.
pub(crate) fn output_of(program: &Path, argument: &str, patience: Duration) -> io::Result<String> {
    let mut command = Command::new(program);
    command.arg(argument).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let capture = Capture { deadline: patience, limit_bytes: OUTPUT_BYTES, cancel: None };
    let captured = capture.run(Process::spawn(&mut command)?, &mut |_, _| ())?;
    if matches!(captured.end, End::Deadline) {
        return Err(io::Error::new(io::ErrorKind::TimedOut, format!("did not end within {patience:?}")));
    }
    Ok(String::from_utf8_lossy(&captured.output).into_owned() + &captured.stderr)
}

/// The limit of the output.
const OUTPUT_BYTES: usize = 64 << 10;

const PARENT_DEATH_SIGNAL: [&str; 3] = ["--pdeathsig", "KILL", "--"];

/// Whether `setpriv` exists and can ask the kernel to kill the VMM when the thread that started it ends.
///
/// `setpriv` becomes the VMM by exec, so the process id is the VMM's. This program cannot make the request: it would have to
/// run between fork and exec, and std has no safe interface for that. The trial run is needed because BusyBox has a
/// `setpriv` without this option.
pub(crate) fn dies_with_parent() -> bool {
    static WORKS: OnceLock<bool> = OnceLock::new();
    *WORKS.get_or_init(|| {
        let mut trial = Command::new("setpriv");
        trial.args(PARENT_DEATH_SIGNAL).arg("true");
        trial.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        trial.status().is_ok_and(|status| status.success())
    })
}
