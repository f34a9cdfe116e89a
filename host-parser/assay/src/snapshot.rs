//! `assay snapshot`: machines that are saved and loaded, from the lifecycle's manifest to the results.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use experiment::manifest::Manifest;
use lab::{Coded, Exit, MeasuringLock, OrExit, Places, SessionFolder, clock_seed, console};
use lifecycle::{LifeSpec, SNAPSHOT, SnapshotSpec, Subject};

use crate::ending::Ending;
use crate::lifecycle::subject;
use crate::options::GuestArgs;
use crate::tool::tool;

/// `assay snapshot`.
#[derive(Args, Debug)]
pub struct SnapshotArgs {
    /// Manifest of the tier lifecycle
    #[arg(default_value_os_t = Places::here().manifest(Path::new("manifests/lifecycle.toml")))]
    pub manifest: PathBuf,
    /// Guests.
    #[command(flatten)]
    pub guest: GuestArgs,
    /// What lives on the machine, as a list: assay, linux, linux-mitigations-off
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_parser = subject, default_value = "assay,linux")]
    pub systems: Vec<Subject>,
    /// The machine, one of the manifest's; `assay lifecycle --dry-run` lists their names
    #[arg(long, value_name = "NAME", default_value = "q35-direct-2-128")]
    pub machine: String,
    /// Rounds: in each, every system is saved once, loaded twice and cloned once
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub rounds: u16,
    /// Clones that are loaded at once
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(2..=64))]
    pub clones: u16,
    /// How long the machine that is checked stays saved; below 4 s its real-time clock may not show it
    #[arg(long, value_name = "SECONDS", default_value_t = 6, value_parser = clap::value_parser!(u64).range(4..=3600))]
    pub pause: u64,
    /// Name of the new folder for the results; by default the time (UTC)
    #[arg(long)]
    pub label: Option<String>,
    /// Folder for results, which go to DIR/snapshot/LABEL
    #[arg(long, value_name = "DIR", default_value_os_t = Places::here().sessions())]
    pub out: PathBuf,
    /// Seed of the challenges; by default from the clock
    #[arg(long, value_name = "NUMBER")]
    pub seed: Option<u64>,
    /// Static Linux twin: the init of the Linux guest
    #[arg(long, value_name = "PROGRAM", default_value_os_t = Places::here().twin())]
    pub twin: PathBuf,
}

/// Runs the session, prints its results and returns the exit code.
///
/// # Errors
/// A machine could not be made or ended otherwise than asked to, or the results could not be written or printed.
pub fn run(args: &SnapshotArgs) -> Result<Ending, Coded> {
    let manifest = Manifest::load(&Places::here().manifest(&args.manifest)).or_exit(Exit::BadInput)?;
    let _lock = MeasuringLock::take(&args.out, &format!("assay snapshot {}", args.manifest.display()))?;
    let cancel = host::cancel_on_signals().or_exit(Exit::Environment)?;
    let life = LifeSpec {
        sources: args.guest.sources()?,
        host_cpus: args.guest.host_cpus()?,
        subjects: args.systems.clone(),
        machines: vec![args.machine.clone()],
        rounds: args.rounds,
        seed: args.seed.unwrap_or_else(clock_seed),
        twin: args.twin.clone(),
        fetch: true,
        tool: tool(),
        folder: SessionFolder::new(&args.out.join("snapshot"), args.label.clone())?,
        manifest,
    };
    let spec = SnapshotSpec { life, clones: args.clones, pause: Duration::from_secs(args.pause) };
    let (results, folder) = lifecycle::run_snapshots(spec, &cancel)?;
    console::data("folder", &folder)?;
    console::data("snapshot", &results)?;
    console::answer(&lifecycle::snapshot_page(&results))?;
    console::answer(&format!("\n{SNAPSHOT} and every log:\n  {}\n", folder.display()))?;
    let exit = if results.holds() { Exit::Holds } else { Exit::Failed };
    Ok(Ending::from(exit).then("the logs show what each machine reported."))
}
