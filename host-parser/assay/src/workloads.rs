//! `assay workloads`: every workload of a folder, each in a session of its own, and one table of all of them.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow};
use clap::Args;
use experiment::manifest::Manifest;
use host::{CancelToken, HostCpus};
use lab::{
    Coded, Exit, GuestEnv, Layout, MeasuringLock, OrExit, Places, ProbeSpec, Session, SessionFolder,
    SessionSpec, SystemsSpec, clock_seed, console, label_of_time, of_systems,
};
use results::{Conclusion, System, WorkloadFigures};

use crate::options::GuestArgs;
use crate::tool::tool;

/// `assay workloads`.
#[derive(Args, Debug)]
pub struct WorkloadsArgs {
    /// Folder of the workloads' manifests
    #[arg(default_value_os_t = Places::here().in_manifests("workloads"))]
    pub folder: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// Systems that run the workers, as a list; see `assay run --help`
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = crate::run::system, default_value = "assay,linux,native")]
    pub systems: Vec<System>,
    /// Rounds of each workload, at most; an interval needs at least 5
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: u16,
    /// Time for all of them: a slow host makes fewer rounds of each, and begins none after it
    #[arg(long, value_name = "MINUTES", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=1440))]
    pub minutes: u64,
    /// Only workloads with this word in their names
    #[arg(long, value_name = "WORD")]
    pub only: Option<String>,
    /// Folder for results, which go to DIR/workloads/TIME/NAME
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// Static Linux twin
    #[arg(long, value_name = "PROGRAM", default_value_os_t = Places::here().twin())]
    pub twin: PathBuf,
}

/// Runs the workloads, one after the other, and prints their table.
///
/// # Errors
/// A manifest is wrong, something that guests are made of is missing, or the table cannot be printed.
pub fn run(args: &WorkloadsArgs) -> Result<Exit, Coded> {
    let manifests = manifests(&args.folder, args.only.as_deref())?;
    let _lock = MeasuringLock::take(&args.out, &format!("assay workloads {}", args.folder.display()))?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let home = args.out.join("workloads").join(label_of_time(std::time::SystemTime::now()));
    let (begin, limit) = (Instant::now(), Duration::from_secs(60 * args.minutes));
    let mut all = Vec::new();
    let mut worst = Exit::Holds;
    let mut pace = Pace::default();
    for (done, manifest) in manifests.iter().enumerate() {
        let (name, unit) = (manifest.name(), manifest.workload().units().work);
        if cancel.is_cancelled() || begin.elapsed() >= limit {
            let why = if cancel.is_cancelled() { "interrupted" } else { "no time was left" };
            all.push(WorkloadFigures::not_run(name.as_str(), unit, why));
            continue;
        }
        let (of, spent) = (manifests.len(), begin.elapsed());
        let rounds = pace.rounds(limit.saturating_sub(spent), of - done, args.rounds);
        console::note(&progress(name.as_str(), done, of, rounds, spent, limit));
        let (figures, exit) = one(args, manifest, &home, &cancel, rounds)?;
        pace.add(begin.elapsed().saturating_sub(spent), rounds);
        worst = if worst == Exit::Holds { exit } else { worst };
        all.push(figures);
    }
    console::data("workloads", &all)?;
    console::data("folder", &home)?;
    let (table, field) = (report::workloads(&all), report::field());
    console::answer(&format!("\n{table}\n{field}\nsessions: {}\n", home.display()))?;
    Ok(if cancel.is_cancelled() { Exit::Interrupted } else { worst })
}

/// How long a round of a workload has taken.
#[derive(Debug, Default)]
struct Pace {
    spent: Duration,
    rounds: u32,
}

impl Pace {
    /// Notes a session.
    fn add(&mut self, spent: Duration, rounds: u16) {
        self.spent += spent;
        self.rounds += u32::from(rounds);
    }

    /// How many rounds, from 1 to `most`, leave as much time to each of the `workloads` that are to come. The first workload
    /// has all of them.
    fn rounds(&self, left: Duration, workloads: usize, most: u16) -> u16 {
        let share = left / u32::try_from(workloads.max(1)).unwrap_or(u32::MAX);
        let fits = |rounds: &u16| self.spent * u32::from(*rounds) <= share * self.rounds;
        (1..=most).rev().find(fits).unwrap_or(1)
    }
}

/// Where the run is, and what is left, at most 80 columns wide.
fn progress(name: &str, done: usize, of: usize, rounds: u16, spent: Duration, limit: Duration) -> String {
    let (at, left) = (done + 1, limit.saturating_sub(spent).as_secs());
    let spent = spent.as_secs();
    format!("{name}: {at} of {of}, {rounds} rounds, {spent} s; {left} s left")
}

/// Runs one workload in a session of its own.
fn one(
    args: &WorkloadsArgs,
    manifest: &Manifest,
    home: &Path,
    cancel: &CancelToken,
    rounds: u16,
) -> Result<(WorkloadFigures, Exit), Coded> {
    let (name, unit) = (manifest.name(), manifest.workload().units().work);
    let mut session = Session::prepare(spec(args, manifest, home, rounds)?);
    let Some(ended) = session.run(cancel)? else {
        return Ok((WorkloadFigures::not_run(name.as_str(), unit, "interrupted"), Exit::Interrupted));
    };
    let results = ended.results.first().expect("rows that are together have one set of results");
    let conclusion = results.conclusion();
    let exit = Exit::of(conclusion);
    // A machine that lacks what a workload needs is no fault of anything.
    let exit = if matches!(conclusion, Conclusion::Refused(_)) && exit != Exit::Unsupported {
        exit
    } else {
        Exit::Holds
    };
    let figures = WorkloadFigures::of(results, manifest.oracle().work, unit);
    ended.error.map_or(Ok((figures, exit)), Err)
}

fn spec(args: &WorkloadsArgs, manifest: &Manifest, home: &Path, rounds: u16) -> Result<SessionSpec, Coded> {
    let names: Vec<_> = args.systems.iter().map(|system| system.name()).collect();
    let host_cpus = HostCpus::choose_for(args.guest.cpus.as_deref(), &names).or_exit(Exit::Usage)?;
    let env = GuestEnv::find(&args.guest.sources()?, host_cpus, manifest)?;
    let folder = SessionFolder::new(home, Some(manifest.name().to_string()))?;
    let systems = SystemsSpec { systems: args.systems.clone(), twin: args.twin.clone(), fetch: true };
    Ok(SessionSpec {
        command: manifest.name().to_string(),
        rows: of_systems(&systems, manifest, &env, &folder.store)?,
        cases: env.cases(manifest),
        rounds,
        // No probes and no waiting, and a further round for each at most: the time of all workloads is bounded.
        spare: 1,
        patience: None,
        probe: ProbeSpec::Off("assay workloads"),
        seed: clock_seed(),
        layout: Layout::Together,
        symbols: None,
        tool: tool(),
        sign: None,
        folder,
        env,
        manifest: manifest.clone(),
    })
}

/// The manifests of a folder, by name: those with a word in theirs, if one is given.
///
/// # Errors
/// There is none, or one is wrong.
pub fn manifests(folder: &Path, only: Option<&str>) -> Result<Vec<Manifest>, Coded> {
    let shown = folder.display();
    let entries = fs::read_dir(folder).with_context(|| shown.to_string()).or_exit(Exit::BadInput)?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    paths.sort();
    let manifests = paths.iter().map(|path| Manifest::load(path).or_exit(Exit::BadInput));
    let mut manifests = manifests.collect::<Result<Vec<_>, _>>()?;
    manifests.retain(|manifest| only.is_none_or(|word| manifest.name().as_str().contains(word)));
    if manifests.is_empty() {
        return Err(anyhow!("{shown}: no workload's manifest in it")).or_exit(Exit::BadInput);
    }
    Ok(manifests)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_slow_host_makes_fewer_rounds_of_each_workload() {
        let mut pace = Pace::default();
        assert_eq!(pace.rounds(seconds(600), 20, 3), 3, "nothing is known yet");
        pace.add(seconds(60), 3);
        assert_eq!(pace.rounds(seconds(600), 10, 3), 3, "20 s a round, 60 s for each");
        assert_eq!(pace.rounds(seconds(590), 10, 3), 2);
        assert_eq!(pace.rounds(seconds(540), 19, 3), 1);
        assert_eq!(pace.rounds(seconds(0), 19, 3), 1, "one that is begun is made");
        pace.add(seconds(0), 3);
        assert_eq!(pace.rounds(seconds(540), 19, 3), 2, "10 s a round");
    }

    #[test]
    fn progress_is_at_most_80_columns_wide() {
        let longest = "a".repeat(32);
        let line = progress(&longest, 98, 99, 1000, seconds(86_400), seconds(86_400));
        assert!(line.len() <= 80, "{line}");
    }
}
