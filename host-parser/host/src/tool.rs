//! A helper program, run to its end or until it is cancelled. It is in a process group of its own: the terminal's Ctrl-C
//! reaches this program only, which then decides.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::CancelToken;
use rustix::process::{Pid, Signal, kill_process_group};

const POLL: Duration = Duration::from_millis(20);
/// Building an image takes less than a second. What takes so much longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a helper ended.
pub enum Ended {
    /// By itself; with what it wrote to standard error.
    Itself(ExitStatus, String),
    /// It was cancelled.
    Cancelled,
    /// It had not ended after [`PATIENCE`].
    Hung,
}

/// Runs a helper.
///
/// # Errors
/// The system's reason why it could not be started.
pub fn run(command: &mut Command, cancel: &CancelToken) -> io::Result<Ended> {
    let command = command.process_group(0).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    let (told, said) = mpsc::channel();
    let stderr = child.stderr.take();
    thread::spawn(move || {
        let mut text = Vec::new();
        // What was read until an error is all that there is to show; the status decides.
        let _ = stderr.map(|mut stderr| stderr.read_to_end(&mut text));
        told.send(text)
    });
    let begun = Instant::now();
    loop {
        match said.recv_timeout(POLL) {
            Ok(text) => {
                return Ok(Ended::Itself(child.wait()?, String::from_utf8_lossy(&text).into_owned()));
            }
            Err(RecvTimeoutError::Timeout) if cancel.is_cancelled() => {
                end(child);
                return Ok(Ended::Cancelled);
            }
            Err(RecvTimeoutError::Timeout) if begun.elapsed() < PATIENCE => {}
            Err(_) => {
                end(child);
                return Ok(Ended::Hung);
            }
        }
    }
}

/// Kills the helper and whatever it has started.
fn end(mut child: Child) {
    // It may have ended by itself by now, and that is as good.
    let _ = kill_process_group(Pid::from_child(&child), Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn gives_status_and_last_words() {
        let ended = run(&mut shell("echo too bad >&2; exit 3"), &CancelToken::new()).unwrap();
        let Ended::Itself(status, said) = ended else { panic!() };
        assert_eq!((status.code(), said.as_str()), (Some(3), "too bad\n"));
    }

    #[test]
    fn ends_with_all_that_it_started_when_cancelled() {
        let cancel = CancelToken::new();
        cancel.cancel();
        let begun = Instant::now();
        assert!(matches!(run(&mut shell("sleep 1000 & sleep 1000"), &cancel).unwrap(), Ended::Cancelled));
        assert!(begun.elapsed() < PATIENCE);
    }
}
