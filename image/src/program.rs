//! External programs that make some of the forms.

use std::io::{Error, ErrorKind};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

/// Linux's error number for a full disk. A caller recognises it at the end of the error message.
const ENOSPC: i32 = 28;
/// The words of qemu-img and xorriso for a full disk.
const DISK_FULL: [&str; 2] = ["No space left on device", "exceeds free space on media"];

/// Runs a program from a distribution's `package`. Its messages are shown only if it fails, because xorriso prints a
/// greeting even with `-quiet`.
pub fn run(mut command: Command, package: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    // DISK_FULL is in English.
    let output = command.env("LC_ALL", "C").output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("{name} is not installed: install the package `{package}` (or run `make images`)")
        }
        _ => anyhow!("{name} cannot be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let messages = String::from_utf8_lossy(&output.stderr);
    let failed = format!("{name} failed, {}:\n{}", output.status, messages.trim_end());
    if DISK_FULL.iter().any(|words| messages.contains(words)) {
        return Err(Error::from_raw_os_error(ENOSPC)).context(failed);
    }
    bail!(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Result<()> {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        run(command, "dash")
    }

    #[test]
    fn a_full_disk_has_its_error_number_in_either_wording() {
        for words in
            ["FAILURE : Image size 9s exceeds free space on media 1s", "write: No space left on device"]
        {
            let error = shell(&format!("echo '{words}' >&2; exit 5")).unwrap_err();
            let message = format!("{error:#}");
            assert!(message.contains(words) && message.ends_with("(os error 28)"), "{message}");
        }
    }

    #[test]
    fn shows_the_messages_of_a_program_only_if_it_fails() {
        assert!(shell("echo greetings >&2").is_ok());
        let message = format!("{:#}", shell("echo 'no such option' >&2; exit 3").unwrap_err());
        assert!(message.contains("exit status: 3") && message.ends_with("no such option"), "{message}");
    }

    #[test]
    fn names_the_package_of_a_missing_program() {
        let message = format!("{:#}", run(Command::new("/nonexistent/xorriso"), "xorriso").unwrap_err());
        assert!(message.contains("install the package `xorriso`"), "{message}");
    }
}
