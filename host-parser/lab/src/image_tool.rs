//! The image tool, run to its end.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, anyhow};
use host::CancelToken;

use crate::exit::{Coded, Exit, OrExit};
use host::Ended;

/// ENOSPC in the words of Rust's standard library, which the image tool uses; the number is in no language.
const DISK_FULL: &str = "(os error 28)";

/// The default run needs no image tool, so it is not built before it is wanted.
pub const HOW_TO_BUILD: &str = "`make image-tool` builds it (2 to 4 minutes)";

/// Runs the image tool by `command`, which makes `outputs`.
///
/// # Errors
/// The tool's own words, that it is not there, that it made nothing, or that it was cancelled.
pub fn run(command: &mut Command, outputs: &[&Path], cancel: &CancelToken) -> Result<(), Coded> {
    let program = Path::new(command.get_program()).display().to_string();
    let ended = host::run_tool(command, cancel)
        .with_context(|| format!("image tool {program}: cannot be run; {HOW_TO_BUILD}"))
        .or_exit(Exit::Environment)?;
    match ended {
        Ended::Itself(status, _) if status.success() => {}
        Ended::Itself(status, said) => {
            let exit = if said.contains(DISK_FULL) { Exit::Output } else { Exit::Environment };
            return Err(anyhow!("image tool: {status}: {}", said.trim())).or_exit(exit);
        }
        Ended::Cancelled => {
            return Err(anyhow!("interrupted while the image was built")).or_exit(Exit::Interrupted);
        }
        Ended::Hung => return Err(anyhow!("image tool: does not end")).or_exit(Exit::Environment),
    }
    match outputs.iter().find(|path| !path.exists()) {
        Some(path) => {
            Err(anyhow!("image tool: {} was not written", path.display())).or_exit(Exit::Environment)
        }
        None => Ok(()),
    }
}
