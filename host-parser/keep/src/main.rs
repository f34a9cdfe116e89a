//! The `assay-keep` command, which `assay history`, `assay fleet` and `assay export --format parquet` start.
//!
//! A program of its own, because it stands on SQLite and Parquet, which take longer to build than `assay`: a first
//! measurement does not wait for them. `make keep` builds it, `make install` and `make dist` have it.
#![forbid(unsafe_code)]

mod bench;
mod export;
mod failure;
mod fleet;
mod history;
mod pages;
mod tool;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lab::console;

/// Keep sessions and logs, and ask questions about them.
#[derive(Debug, Parser)]
#[command(name = "assay", bin_name = "assay", version, max_term_width = 80)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Show how an experiment's figures went from session to session on this disk.
    ///
    /// Sessions that are new are verified and added to the index first. A change of level is a hint: it names the command
    /// that would settle it, and never decides the exit code.
    History(history::HistoryArgs),
    /// Judge the serial logs of many machines; make one dataset of them.
    ///
    /// Each log becomes a row, whatever became of it: judged, refused with its reason, unreadable, empty, given twice. The
    /// dataset is Parquet files in folders by experiment and day, with queries for DuckDB and DataFusion (docs/FLEET.md). A
    /// log that is in it already, by its SHA-256, is not added again. Exit codes: 0 if every log could be read, whatever is in
    /// it; 7 if one could not, or the labels are wrong; 9 if the dataset cannot be written.
    Fleet(fleet::FleetArgs),
    /// Write the samples of sessions as a Parquet file.
    #[command(hide = true)]
    Export(export::ExportArgs),
    /// Measure how often the history finds a change where there is none, and how soon it finds one.
    #[command(hide = true)]
    BenchHistory(bench::BenchArgs),
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Pages(pages::PagesArgs),
}

fn main() -> ExitCode {
    let command = Cli::parse().command;
    let for_a_program = match &command {
        Command::Fleet(args) => args.json,
        Command::Export(args) => args.json,
        Command::History(args) => args.json,
        Command::BenchHistory(_) | Command::Pages(_) => false,
    };
    let ended = match command {
        Command::History(args) => history::run(&args),
        Command::Fleet(args) => fleet::run(&args),
        Command::Export(args) => export::run(&args),
        Command::BenchHistory(args) => bench::run(&args),
        Command::Pages(args) => pages::run(&args),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            match for_a_program {
                // Nothing is left to say if this cannot be printed.
                true => drop(console::print(&format!("{:#}\n", failure::failure(&error)))),
                false => console::note(&format!("assay: {error}")),
            }
            error.exit.into()
        }
    }
}
