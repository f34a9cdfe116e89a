//! Runs the image tool and reports its errors.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow};
use host::CancelToken;
use host::process::{Capture, Captured, End, Process};

use crate::exit::{Coded, Exit, OrExit};

/// ENOSPC in a message of the image tool, as Rust's standard library prints it. The locale does not change this part.
const DISK_FULL: &str = "(os error 28)";

/// How to build the image tool. `make build` leaves it out, because a default run does not need it.
pub const HOW_TO_BUILD: &str = "`make image-tool` builds it (2 to 4 minutes)";

/// The longest time for one image. An image takes less than a second, so a tool that takes this long hangs.
const DEADLINE: Duration = Duration::from_secs(120);

/// Runs the image tool with `command`, which writes `outputs`.
///
/// # Errors
/// The tool cannot be started, fails (the error has its messages), hangs or leaves an output unwritten, or `cancel` is
/// set.
pub fn run(command: &mut Command, outputs: &[&Path], cancel: &CancelToken) -> Result<(), Coded> {
    let program = Path::new(command.get_program()).display().to_string();
    let captured = run_to_end(command, cancel)
        .with_context(|| format!("image tool {program}: cannot be run; {HOW_TO_BUILD}"))
        .or_exit(Exit::Environment)?;
    match captured.end {
        End::Itself(status) if status.success() => {}
        End::Itself(status) => {
            let messages = captured.stderr;
            let exit = if messages.contains(DISK_FULL) { Exit::Output } else { Exit::Environment };
            return Err(anyhow!("image tool: {status}: {}", messages.trim())).or_exit(exit);
        }
        End::Cancelled => {
            return Err(anyhow!("image tool: interrupted while it built the image"))
                .or_exit(Exit::Interrupted);
        }
        End::Deadline | End::Overflow { .. } => {
            return Err(anyhow!("image tool: did not end within {} s", DEADLINE.as_secs()))
                .or_exit(Exit::Environment);
        }
    }
    match outputs.iter().find(|path| !path.exists()) {
        Some(path) => {
            Err(anyhow!("image tool: {} was not written", path.display())).or_exit(Exit::Environment)
        }
        None => Ok(()),
    }
}

/// Runs a program until it exits. Captures its messages and discards its output.
fn run_to_end(command: &mut Command, cancel: &CancelToken) -> io::Result<Captured> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let capture = Capture { deadline: DEADLINE, limit_bytes: 0, cancel: Some(cancel) };
    capture.run(Process::spawn(command)?, &mut |_, _| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_the_messages_of_a_tool_that_fails() {
        let mut tool = Command::new("sh");
        let error = run(tool.args(["-c", "echo too bad >&2; exit 3"]), &[], &CancelToken::new().unwrap());
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "image tool: exit status: 3: too bad");
        assert_eq!(error.exit, Exit::Environment);
    }

    #[test]
    fn ends_the_tool_when_cancelled() {
        let cancel = CancelToken::new().unwrap();
        cancel.cancel();
        let mut tool = Command::new("sh");
        let error = run(tool.args(["-c", "sleep 1000 & sleep 1000"]), &[], &cancel).unwrap_err();
        assert_eq!(error.exit, Exit::Interrupted);
    }
}
