//! The `assay` command.

#![forbid(unsafe_code)]

mod ab;
mod archive;
mod cli;
mod compare;
mod configure;
mod dev;
mod doctor;
mod exact;
mod export_command;
mod image_command;
mod judged;
mod new;
mod options;
mod parse;
mod report_command;
mod run;
mod show;
mod tool;
mod verify;
mod workloads;

use std::process::ExitCode;

use clap::Parser;
use lab::console;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Run(args) => run::run(&args),
        Command::Workloads(args) => workloads::run(&args),
        Command::Show(args) => show::run(&args),
        Command::List(args) => show::list(&args),
        Command::Report(args) => report_command::run(&args),
        Command::Export(args) => export_command::export(&args),
        Command::Trace(args) => export_command::run_trace(&args),
        Command::Parse(args) => parse::run(&args),
        Command::Ab(args) => ab::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Archive(args) => archive::run(&args),
        Command::New(command) => new::run(&command),
        Command::Exact(command) => exact::run(&command),
        Command::Doctor(args) => doctor::run(&args),
        Command::Image(args) => image_command::run(&args),
        Command::Configure(args) => configure::run(&args),
        Command::Dev(command) => dev::run(&command),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::note(&format!("assay: {error}"));
            error.exit.into()
        }
    }
}
