//! `assay dev`: commands that test the tool itself, and not the user's machine.

mod bench;
mod bench_verdict;
mod controls;

use clap::Subcommand;
use lab::{Coded, Exit};

use bench::BenchArgs;
use bench_verdict::BenchVerdictArgs;
use controls::ControlsArgs;

/// What `assay dev` can do.
#[derive(Debug, Subcommand)]
pub enum DevCommand {
    /// Provoke everything that can go wrong, and check that the gate says so.
    Controls(ControlsArgs),
    /// Print what this project promises of itself: size, memory, instructions to the first worker.
    ///
    /// Ends with 1 where a figure is above its limit.
    Bench(BenchArgs),
    /// Measure how good the verdict of `compare` is: how often it cries regression where there is none, how often it finds
    /// one of 2, 5 and 10 percent.
    ///
    /// Ends with 1 where a goal is missed, with 3 where there are too few rounds to tell.
    BenchVerdict(BenchVerdictArgs),
}

/// Does it.
///
/// # Errors
/// Those of the command.
pub fn run(command: &DevCommand) -> Result<Exit, Coded> {
    match command {
        DevCommand::Controls(args) => controls::run(args),
        DevCommand::Bench(args) => bench::run(args),
        DevCommand::BenchVerdict(args) => bench_verdict::run(args),
    }
}
