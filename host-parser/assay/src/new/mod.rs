//! `assay new`: folders to begin with.

mod workload;

use clap::Subcommand;
use lab::{Coded, Exit};

/// The commands of `assay new`.
#[derive(Debug, Subcommand)]
pub enum NewCommand {
    /// Write a folder with a workload of your own: program, oracle and manifest.
    ///
    /// It needs `rustc` with the target x86_64-unknown-none and nothing else. The folder's README.md, and this command,
    /// say how it is built and run. docs/WORKLOADS.md walks through it.
    Workload(workload::Args),
}

/// Writes the folder.
///
/// # Errors
/// The folder is there already, or cannot be written.
pub fn run(command: &NewCommand) -> Result<Exit, Coded> {
    match command {
        NewCommand::Workload(args) => workload::run(args),
    }
}
