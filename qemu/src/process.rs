//! How a VMM's process is started.

use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use host::process::{Capture, End, Process};

use crate::streams::{SerialEnd, Streams};
use crate::{CommandLine, QemuError};

/// How long a guest may leave what it is sent in the host's buffer when that is full.
const SEND_PATIENCE: Duration = Duration::from_secs(5);

/// Starts a VMM with a control socket as its standard input and pipes as its outputs, or a socket for
/// the serial port.
pub(crate) fn start(line: &CommandLine) -> Result<(Process, Streams), QemuError> {
    let started = UnixStream::pair().and_then(|(ours, theirs)| {
        let mut command = launcher(line.program());
        command.args(line.arguments()).stdin(OwnedFd::from(theirs));
        command.stderr(Stdio::piped());
        if line.serial_input {
            let (serial, theirs) = UnixStream::pair()?;
            serial.set_write_timeout(Some(SEND_PATIENCE))?;
            let mut process = Process::spawn(command.stdout(OwnedFd::from(theirs)))?;
            let streams = Streams::new(ours, process.take_stderr(), Some(SerialEnd::Socket(serial)));
            return Ok((process, streams));
        }
        let mut process = Process::spawn(command.stdout(Stdio::piped()))?;
        let serial = process.take_stdout().map(SerialEnd::Pipe);
        let streams = Streams::new(ours, process.take_stderr(), serial);
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
    launcher_for(std::process::id(), program)
}

/// The same as a child of the process `parent`.
fn launcher_for(parent: u32, program: &Path) -> Command {
    let mut launcher = Command::new("setpriv");
    launcher.args(PARENT_DEATH_SIGNAL).args(["sh", "-c", UNLESS_ORPHAN]).arg(parent.to_string()).arg(program);
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

/// Becomes the program of the arguments if the parent is the process that `$0` names.
///
/// A parent that dies between its fork and `setpriv`'s request is not there to send the signal (prctl(2),
/// PR_SET_PDEATHSIG). After the request its death is either seen here, or ends this process.
const UNLESS_ORPHAN: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

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

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs a launcher as a child of this process, and returns what its program printed.
    fn printed(parent: u32) -> Vec<u8> {
        let mut launcher = launcher_for(parent, Path::new("echo"));
        launcher.arg("a b").stdin(Stdio::null()).output().expect("setpriv").stdout
    }

    #[test]
    fn a_program_does_not_start_if_its_parent_has_died_before_it_could_ask_for_the_signal() {
        assert!(dies_with_parent(), "util-linux has setpriv");
        let own = std::process::id();
        assert_eq!(printed(own), b"a b\n");
        // An orphan's parent is another process than the one that started it.
        assert_eq!(printed(own + 1), b"");
    }
}
