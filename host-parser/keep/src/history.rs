//! `assay history`.

use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args, Subcommand};
use history::{History, Index, Scanned, add, histories, page, rebuild, sync};
use lab::{Coded, Exit, OrExit, Places, console};
use serde_json::{Value, json};

/// `assay history`.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
pub struct HistoryArgs {
    #[command(subcommand)]
    command: Option<HistoryCommand>,
    /// The experiment; without one, all of them are listed
    experiment: Option<String>,
    #[command(flatten)]
    place: PlaceArgs,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

#[derive(Args, Debug)]
struct PlaceArgs {
    /// Where sessions are: DIR/EXPERIMENT/LABEL; the index is DIR/history.sqlite
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    out: PathBuf,
}

#[derive(Debug, Subcommand)]
enum HistoryCommand {
    /// Make the index again from the sealed sessions: verify every one.
    Rebuild {
        #[command(flatten)]
        place: PlaceArgs,
    },
    /// Verify sessions and add them. `assay run` does it at its end.
    Add {
        /// Folders of sessions
        #[arg(required = true, value_name = "SESSION")]
        sessions: Vec<PathBuf>,
        #[command(flatten)]
        place: PlaceArgs,
    },
}

/// Runs the command. No change of a figure decides how it ends.
///
/// # Errors
/// The index cannot be used, or standard output cannot be written.
pub fn run(args: &HistoryArgs) -> Result<Exit, Coded> {
    match &args.command {
        Some(HistoryCommand::Rebuild { place }) => {
            let mut index = open(place)?;
            let scanned = rebuild(&mut index, &place.out, &mut progress).or_exit(Exit::Output)?;
            console::answer(&scanned_text(place, &scanned)).map(|()| Exit::Holds)
        }
        Some(HistoryCommand::Add { sessions, place }) => add_all(place, sessions),
        None => show(args),
    }
}

fn open(place: &PlaceArgs) -> Result<Index, Coded> {
    if !place.out.is_dir() {
        let out = place.out.display();
        return Err(anyhow!(
            "{out}: no such folder; `assay run MANIFEST` makes a session in it, --out DIR looks elsewhere"
        ))
        .or_exit(Exit::BadInput);
    }
    Index::open(&place.out).or_exit(Exit::Output)
}

fn add_all(place: &PlaceArgs, sessions: &[PathBuf]) -> Result<Exit, Coded> {
    let mut index = open(place)?;
    let mut exit = Exit::Holds;
    for session in sessions {
        if let Some(left_out) = add(&mut index, &place.out, session).or_exit(Exit::Output)? {
            console::note(&format!("assay: {}: not in the history: {}", session.display(), left_out.why));
            exit = Exit::NotVerified;
        }
    }
    Ok(exit)
}

fn show(args: &HistoryArgs) -> Result<Exit, Coded> {
    let mut index = open(&args.place)?;
    let scanned = sync(&mut index, &args.place.out, &mut progress).or_exit(Exit::Output)?;
    let experiments = index.experiments().or_exit(Exit::Output)?;
    let Some(experiment) = &args.experiment else {
        let text = if args.json {
            list_json(&experiments)
        } else {
            list(&experiments, &scanned_text(&args.place, &scanned))
        };
        return console::answer(&text).map(|()| Exit::Holds);
    };
    if !experiments.iter().any(|(name, _)| name == experiment) {
        let names: Vec<&str> = experiments.iter().map(|(name, _)| name.as_str()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        return Err(anyhow!(
            "{experiment}: no session of it in {}; experiments there: {known}",
            args.place.out.display()
        ))
        .or_exit(Exit::BadInput);
    }
    let histories = histories(&index, experiment).or_exit(Exit::Output)?;
    if args.json {
        return console::answer(&history_json(experiment, &histories)).map(|()| Exit::Holds);
    }
    console::answer(&page(experiment, &histories))?;
    if !scanned.left_out.is_empty() {
        console::answer(&scanned_text(&args.place, &scanned))?;
    }
    Ok(Exit::Holds)
}

/// Says how far it is, if there are so many sessions that it takes a while.
fn progress(done: usize, of: usize) {
    const EVERY: usize = 20;
    if of >= EVERY && done.is_multiple_of(EVERY) {
        console::note(&format!("verifying sessions: {done} of {of}"));
    }
}

fn scanned_text(place: &PlaceArgs, scanned: &Scanned) -> String {
    let Scanned { sessions, verified, gone, left_out } = scanned;
    let index = place.out.join(history::NAME);
    let mut text =
        format!("{}\n  {sessions} sessions, {verified} verified now, {gone} gone\n", index.display());
    for left_out in left_out {
        text += &format!("  not in it: {}\n    {}\n", left_out.folder.display(), left_out.why);
    }
    text
}

fn list(experiments: &[(String, u64)], scanned: &str) -> String {
    let width = experiments.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
    let line = |(name, sessions): &(String, u64)| format!("{name:<width$}  {sessions} sessions\n");
    experiments.iter().map(line).collect::<String>() + scanned + "next: assay history EXPERIMENT\n"
}

fn list_json(experiments: &[(String, u64)]) -> String {
    let of = |(name, sessions): &(String, u64)| json!({ "experiment": name, "sessions": sessions });
    pretty(&experiments.iter().map(of).collect())
}

fn history_json(experiment: &str, histories: &[History]) -> String {
    let series = histories.iter().map(|of| {
        let lines: Vec<Value> = of
            .lines
            .iter()
            .map(|line| {
                json!({
                    "session": line.folder, "started_unix_ms": line.started_unix_ms, "kernel": line.kernel,
                    "vmm": line.vmm, "epoch": line.epoch, "median": line.median,
                    "low": line.interval.map(|of| of.0), "high": line.interval.map(|of| of.1),
                })
            })
            .collect();
        json!({
            "machine": of.machine, "system": of.system, "workers": of.workers, "work": of.work,
            "metric": of.metric, "unit": of.unit, "sessions": lines, "changes": of.changes.changes,
            "autocorrelation": of.changes.autocorrelation,
        })
    });
    pretty(&json!({ "experiment": experiment, "series": series.collect::<Vec<_>>() }))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}
