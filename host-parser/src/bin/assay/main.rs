//! The `assay` command. It joins the crate that runs guests (`qemu`) with the one that judges them (`host_parser`);
//! neither knows the other.

#![forbid(unsafe_code)]

mod ab;
mod bench;
mod bench_verdict;
mod calm;
mod captured;
mod cli;
mod compare;
mod configure;
mod console;
mod controls;
mod cost;
mod delays;
mod diagnosis;
mod doctor;
mod exit;
mod experiment;
mod guest;
mod host;
mod image;
mod image_tool;
mod images;
mod lab;
mod label;
mod parse;
mod pinning;
mod probe;
mod progress;
mod recording;
mod rounds;
mod run;
mod schedule;
mod signals;
mod steal;
mod systems;
mod tool;
mod watch;

use std::process::ExitCode;

use clap::Parser;

use cli::{Cli, Command};

fn main() -> ExitCode {
    let ended = match Cli::parse().command {
        Command::Run(args) => experiment::run(&args),
        Command::Parse(args) => parse::run(&args),
        Command::Controls(args) => controls::run(&args),
        Command::Ab(args) => ab::run(&args),
        Command::Compare(args) => compare::run(&args),
        Command::Bench(args) => bench::run(&args),
        Command::BenchVerdict(args) => bench_verdict::run(&args),
        Command::Doctor(args) => doctor::run(&args),
        Command::Image(args) => images::run(&args),
        Command::Configure(args) => configure::run(&args),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(error) => {
            console::note(&format!("assay: {error}"));
            error.exit.into()
        }
    }
}
