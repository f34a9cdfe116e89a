//! The `assay-keep` command, which `assay history` starts.
//!
//! A program of its own, because it stands on SQLite, whose C source takes as long to build as a third of `assay`: a first
//! measurement does not wait for it. `make keep` builds it, `make install` and `make dist` have it.
#![forbid(unsafe_code)]

mod bench;
mod history;
mod pages;

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
    /// Measure how often the history finds a change where there is none, and how soon it finds one.
    #[command(hide = true)]
    BenchHistory(bench::BenchArgs),
    /// Write the manual pages into a folder.
    #[command(hide = true)]
    Pages(pages::PagesArgs),
}

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::History(args) => history::run(&args),
        Command::BenchHistory(args) => bench::run(&args),
        Command::Pages(args) => pages::run(&args),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::note(&format!("assay: {error}"));
            error.exit.into()
        }
    }
}
