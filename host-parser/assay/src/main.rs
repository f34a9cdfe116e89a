//! The `assay` command.

#![forbid(unsafe_code)]

mod ab;
mod archive;
mod baseline;
mod cli;
mod compare;
mod configure;
mod dev;
mod doctor;
mod ending;
mod envelope;
mod exact;
mod export_command;
mod foreign_figures;
mod image_command;
mod keep;
mod lifecycle;
mod new;
mod options;
mod parse;
mod patience;
mod pipeline;
mod report_command;
mod run;
mod schema_command;
mod show;
mod snapshot;
mod tool;
mod verify;
mod workloads;

use std::ffi::OsStr;
use std::process::ExitCode;

use clap::{ArgMatches, CommandFactory, FromArgMatches};
use lab::{Coded, Exit, console};
use report::page::next_line;

use cli::{Cli, Command};
use ending::Ending;
use envelope::Envelope;

fn main() -> ExitCode {
    let (mut cli, name) = match read_command_line() {
        Ok(read) => read,
        Err(error) => return end_of_usage(&error),
    };
    if let Command::History(words) | Command::Fleet(words) = &mut cli.command {
        cli.json |= words.take_json();
    }
    let pipeline = cli.command.pipeline();
    if cli.json || pipeline.is_some_and(|pipeline| pipeline.github) {
        console::keep_answers(cli.json);
    }
    let ended = run(&cli.command);
    if let Err(error) = &ended {
        console::note(&format!("assay: {error}"));
    }
    let ending = ended.as_ref().map_or_else(Ending::from, Clone::clone);
    let next = ending.next_of(&cli.command);
    let (answer, error) = (console::take_answer(), ended.as_ref().err());
    let kept = pipeline.map_or(Ok(()), |of| of.write(&name, &ending, error, next.as_deref(), &answer.text));
    let printed = if cli.json {
        Envelope::of(&name, &ending, error, next, answer).print()
    } else {
        say_what_is_next(next.as_deref(), ended.is_ok())
    };
    match printed.and(kept) {
        Ok(()) => ending.exit.into(),
        Err(error) => {
            console::note(&format!("assay: {error}"));
            error.exit.into()
        }
    }
}

/// Runs the command.
fn run(command: &Command) -> Result<Ending, Coded> {
    match command {
        Command::Run(args) => run::run(args),
        Command::Lifecycle(args) => lifecycle::run(args),
        Command::Snapshot(args) => snapshot::run(args),
        Command::Workloads(args) => workloads::run(args).map(Ending::from),
        Command::Show(args) => show::run(args),
        Command::List(args) => show::list(args),
        Command::History(args) => keep::history(args),
        Command::Fleet(args) => keep::fleet(args),
        Command::Report(args) => report_command::run(args).map(Ending::from),
        Command::Export(args) => export_command::export(args).map(Ending::from),
        Command::Trace(args) => export_command::run_trace(args).map(Ending::from),
        Command::Schema(args) => schema_command::run(args).map(Ending::from),
        Command::Parse(args) => parse::run(args),
        Command::Ab(args) => ab::run(args),
        Command::Compare(args) => compare::run(args),
        Command::Verify(args) => verify::run(args).map(Ending::from),
        Command::Baseline(command) => baseline::run(command),
        Command::Archive(args) => archive::run(args).map(Ending::from),
        Command::New(command) => new::run(command).map(Ending::from),
        Command::Exact(command) => exact::run(command),
        Command::Doctor(args) => doctor::run(args),
        Command::Image(args) => image_command::run(args).map(Ending::from),
        Command::Configure(args) => configure::run(args).map(Ending::from),
        Command::Dev(command) => dev::run(command).map(Ending::from),
    }
}

/// The last line of what a person reads: after an answer beside it, after an error beside that.
fn say_what_is_next(next: Option<&str>, answered: bool) -> Result<(), Coded> {
    let Some(line) = next.map(next_line) else { return Ok(()) };
    if answered {
        return console::answer(&line);
    }
    console::note(line.trim_end());
    Ok(())
}

/// The command line, and the command's name: `exact check`.
fn read_command_line() -> Result<(Cli, String), clap::Error> {
    let matches = Cli::command().try_get_matches()?;
    Ok((Cli::from_arg_matches(&matches)?, name_of(&matches)))
}

fn name_of(matches: &ArgMatches) -> String {
    let mut names = Vec::new();
    let mut at = matches;
    while let Some((name, inner)) = at.subcommand() {
        names.push(name);
        at = inner;
    }
    names.join(" ")
}

/// The end of a command line that is wrong, or that asks for help.
fn end_of_usage(error: &clap::Error) -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).take_while(|word| word != "--").collect();
    let for_a_program = words.iter().any(|word| word == "--json");
    if !error.use_stderr() || !for_a_program {
        // Nothing is left to say if this cannot be printed.
        let _ = error.print();
        return if error.use_stderr() { Exit::Usage } else { Exit::Holds }.into();
    }
    let named = |word: &&str| Cli::command().find_subcommand(word).is_some();
    let command = words.iter().filter_map(|word| OsStr::to_str(word)).find(named).map(str::to_owned);
    match Envelope::of_usage(command, error).print() {
        Ok(()) => Exit::Usage.into(),
        Err(error) => error.exit.into(),
    }
}
