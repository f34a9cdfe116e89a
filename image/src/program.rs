//! Programs of others that some forms are made with.

use std::io::{Error, ErrorKind};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail};

/// Linux's number for a full disk, by which a caller knows one in our last words.
const ENOSPC: i32 = 28;
/// How the programs say that, qemu-img and xorriso.
const DISK_FULL: [&str; 2] = ["No space left on device", "exceeds free space on media"];

/// Runs a program of a distribution's `package`. What it says is shown only where it failed: xorriso greets even when
/// told to be quiet.
pub fn run(mut command: Command, package: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    // In the language that DISK_FULL is in.
    let output = command.env("LC_ALL", "C").output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("{name} is not installed: install the package `{package}` (or run `make images`)")
        }
        _ => anyhow!("{name} cannot be run: {error}"),
    })?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let failed = format!("{name} failed, {}:\n{}", output.status, said.trim_end());
    if DISK_FULL.iter().any(|words| said.contains(words)) {
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
    fn tells_a_full_disk_in_whatever_words_by_its_number() {
        for words in
            ["FAILURE : Image size 9s exceeds free space on media 1s", "write: No space left on device"]
        {
            let error = shell(&format!("echo '{words}' >&2; exit 5")).unwrap_err();
            let told = format!("{error:#}");
            assert!(told.contains(words) && told.ends_with("(os error 28)"), "{told}");
        }
    }

    #[test]
    fn shows_the_words_of_a_program_that_fails_and_no_others() {
        assert!(shell("echo greetings >&2").is_ok());
        let told = format!("{:#}", shell("echo 'no such option' >&2; exit 3").unwrap_err());
        assert!(told.contains("exit status: 3") && told.ends_with("no such option"), "{told}");
    }

    #[test]
    fn names_the_package_of_a_program_that_is_not_there() {
        let told = format!("{:#}", run(Command::new("/nonexistent/xorriso"), "xorriso").unwrap_err());
        assert!(told.contains("install the package `xorriso`"), "{told}");
    }
}
