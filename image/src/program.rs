//! Programs of others that some forms are made with.

use std::io::ErrorKind;
use std::process::Command;

use anyhow::{Result, anyhow, ensure};

/// Runs a program of a distribution's `package`. What it says is shown only where it failed: xorriso greets even when
/// told to be quiet.
pub fn run(mut command: Command, package: &str) -> Result<()> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("{name} is not installed: install the package `{package}` (or run `make images`)")
        }
        _ => anyhow!("{name} cannot be run: {error}"),
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed, {}:\n{}", output.status, said.trim_end());
    Ok(())
}
