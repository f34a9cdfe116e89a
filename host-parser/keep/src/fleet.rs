//! `assay fleet`.

use std::num::NonZero;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use clap::Args;
use evidence::gate::Gate;
use experiment::manifest::Manifest;
use fleet::{DatasetError, Fleet, GatherError, Labels, Outcome, gather};
use lab::{Coded, Exit, OrExit, Places, console};
use serde_json::json;

use crate::tool::tool;

/// `assay fleet`.
#[derive(Args, Debug)]
pub struct FleetArgs {
    /// Serial logs, or folders of them with all that is below
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// The folder of the dataset; what is in it stays
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// What is known of the logs from elsewhere: a CSV file with a column `file`, and others such as zone and type
    ///
    /// A row is of the log whose name, or whose path's end, is in `file`. Each other column becomes one of the table of logs,
    /// with `label_` before its name. A column `day` (as 2026-11-29) decides the day under which a log is filed; without it, it
    /// is the day on which the file was last written, in UTC.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
    /// Manifest of the logs' experiment, if its program is not one of Assay's own
    #[arg(long, value_name = "FILE")]
    manifest: Option<PathBuf>,
    /// How many logs are judged at a time [default: as many as there are CPUs]
    #[arg(long, value_name = "N")]
    jobs: Option<NonZero<usize>>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// How often it is said how far it is.
const EVERY: Duration = Duration::from_secs(2);

/// Judges the logs, adds them to the dataset and prints what became of them.
///
/// # Errors
/// The labels, the manifest, a folder of logs or the dataset cannot be used.
pub fn run(args: &FleetArgs) -> Result<Exit, Coded> {
    let labels = args.labels.as_deref().map(Labels::load).transpose().or_exit(Exit::BadInput)?;
    let named = args.manifest.as_deref().map(|named| Places::here().manifest(named));
    let manifest = named.as_deref().map(Manifest::load).transpose().or_exit(Exit::BadInput)?;
    let gate = || manifest.as_ref().map_or_else(Gate::default, |manifest| Gate::of(manifest.workload()));
    let fleet = Fleet {
        logs: &args.logs,
        labels: labels.as_ref(),
        out: &args.out,
        jobs: args.jobs,
        gate: &gate,
        tool: &tool(),
    };
    let mut said = Instant::now();
    let mut progress = |done: usize, of: usize| {
        if said.elapsed() >= EVERY {
            said = Instant::now();
            console::note(&format!("judging logs: {done} of {of}"));
        }
    };
    let gathered = gather(&fleet, &mut progress).or_else(|error| {
        let exit = match &error {
            GatherError::Logs { .. } | GatherError::Session(_) | GatherError::Nothing => Exit::BadInput,
            GatherError::Dataset(DatasetError::Form { .. }) => Exit::BadInput,
            GatherError::Dataset(_) | GatherError::Write(_) => Exit::Output,
        };
        Err(error).or_exit(exit)
    })?;
    let text = if args.json {
        let answer = json!({ "out": args.out, "summary": gathered.summary, "queries": gathered.queries });
        format!("{answer:#}\n")
    } else {
        format!("{}{}\n", gathered.summary.text(), args.out.display())
    };
    console::answer(&text)?;
    // A file that was named and could not be read is a row, and all the same a mistake of the command line.
    let unreadable = gathered.summary.count(Outcome::Unreadable) > 0;
    Ok(if unreadable { Exit::BadInput } else { Exit::Holds })
}
