//! `assay dev`: commands that test the tool itself, not the user's machine.

mod bench;
mod bench_parse;
mod bench_verdict;
mod controls;
mod nested;
#[cfg(feature = "pages")]
mod pages;

use clap::Subcommand;
use lab::{Coded, Exit};

use bench::BenchArgs;
use bench_parse::BenchParseArgs;
use bench_verdict::BenchVerdictArgs;
use controls::ControlsArgs;
use nested::NestedArgs;

/// The commands of `assay dev`.
#[derive(Debug, Subcommand)]
pub enum DevCommand {
    /// Make runs go wrong, and check that the gate finds each fault.
    Controls(ControlsArgs),
    /// Measure size, memory and boot time, and check their limits.
    ///
    /// Ends with 1 if a figure is above its limit.
    Bench(BenchArgs),
    /// Measure how fast a log of many boots is judged, and with how much memory.
    BenchParse(BenchParseArgs),
    /// Run a command in a Linux guest that has KVM, where this host has none.
    ///
    /// The guest has the build's products at their paths, and QEMU, and starts COMMAND in this folder. Its CPUs are
    /// emulated: what runs there shows function, not speed. Ends with 1 if the command fails.
    Nested(NestedArgs),
    /// Write the manual pages and the completions of shells into a folder.
    #[cfg(feature = "pages")]
    Pages(pages::PagesArgs),
    /// Measure false alarms and missed regressions of `compare`.
    ///
    /// The regressions are worker builds slowed by 2, 5 and 10 percent. Ends with 1 if a goal is missed, with 3 if
    /// there are too few rounds to decide.
    BenchVerdict(BenchVerdictArgs),
}

/// Runs the command.
///
/// # Errors
/// The errors of that command.
pub fn run(command: &DevCommand) -> Result<Exit, Coded> {
    match command {
        DevCommand::Controls(args) => controls::run(args),
        DevCommand::Bench(args) => bench::run(args),
        DevCommand::Nested(args) => nested::run(args),
        #[cfg(feature = "pages")]
        DevCommand::Pages(args) => pages::run(args),
        DevCommand::BenchParse(args) => bench_parse::run(args),
        DevCommand::BenchVerdict(args) => bench_verdict::run(args),
    }
}
