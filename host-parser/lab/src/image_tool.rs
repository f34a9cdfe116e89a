//! The image tool, run to its end.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, anyhow};
use host::CancelToken;
use host::process::{Capture, Captured, End, Process};

use crate::exit::{Coded, Exit, OrExit};

/// ENOSPC in the words of Rust's standard library, which the image tool uses; the number is in no language.
const DISK_FULL: &str = "(os error 28)";

/// The default run needs no image tool, so it is not built before it is wanted.
pub const HOW_TO_BUILD: &str = "`make image-tool` builds it (2 to 4 minutes)";

/// Building an image takes less than a second. What takes so much longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// Runs the image tool by `command`, which makes `outputs`.
///
/// # Errors
/// The tool's own words, that it is not there, that it made nothing, or that it was cancelled.
pub fn run(command: &mut Command, outputs: &[&Path], cancel: &CancelToken) -> Result<(), Coded> {
    let program = Path::new(command.get_program()).display().to_string();
    let captured = to_its_end(command, cancel)
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
            return Err(anyhow!("interrupted while the image was built")).or_exit(Exit::Interrupted);
        }
        End::Deadline | End::Overflow { .. } => {
            return Err(anyhow!("image tool: does not end")).or_exit(Exit::Environment);
        }
    }
    match outputs.iter().find(|path| !path.exists()) {
        Some(path) => {
            Err(anyhow!("image tool: {} was not written", path.display())).or_exit(Exit::Environment)
        }
        None => Ok(()),
    }
}

/// Runs a program of whose output only the messages matter.
fn to_its_end(command: &mut Command, cancel: &CancelToken) -> io::Result<Captured> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let capture = Capture { deadline: PATIENCE, limit_bytes: 0, cancel: Some(cancel) };
    capture.run(Process::spawn(command)?, &mut |_, _| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_that_fails_is_reported_in_its_own_words() {
        let mut tool = Command::new("sh");
        let error = run(tool.args(["-c", "echo too bad >&2; exit 3"]), &[], &CancelToken::new().unwrap());
        let error = error.unwrap_err();
        assert_eq!(error.to_string(), "image tool: exit status: 3: too bad");
        assert_eq!(error.exit, Exit::Environment);
    }

    #[test]
    fn a_tool_is_ended_when_cancelled() {
        let cancel = CancelToken::new().unwrap();
        cancel.cancel();
        let mut tool = Command::new("sh");
        let error = run(tool.args(["-c", "sleep 1000 & sleep 1000"]), &[], &cancel).unwrap_err();
        assert_eq!(error.exit, Exit::Interrupted);
    }
}
