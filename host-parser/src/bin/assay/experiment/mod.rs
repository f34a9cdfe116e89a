//! `assay run`: an experiment from its manifest to its results.

mod conclude;
mod died;
mod rounds;
mod tell;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use host_parser::manifest::Manifest;
use host_parser::results::Experiment;
use host_parser::stats::{ClaimRule, Pairing};

use crate::cli::RunArgs;
use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::lab::Lab;
use crate::label;
use crate::pinning::HostCpus;
use crate::probe::Prober;
use crate::rounds::{Rounds, SPARE};
use crate::run::Task;
use crate::schedule::clock_seed;
use crate::signals;
use crate::systems::Systems;

/// An experiment that is about to be run.
struct Session {
    manifest: Manifest,
    lab: Lab,
    systems: Systems,
    prober: Prober,
    /// What a round is made of.
    tasks: Vec<Task>,
    /// How often every task is to be done: the manifest's rounds, or once for a sweep, whose rounds are in one boot.
    rounds: Rounds<Task>,
    experiment: Experiment,
    folder: PathBuf,
    /// Names for the addresses at which guests die; none where nobody wants to know why.
    symbols: Option<PathBuf>,
}

/// Runs the experiment, prints its results and says how it ended.
///
/// # Errors
/// What kept it from having results at all.
pub fn run(args: &RunArgs) -> Result<Exit, Coded> {
    let session = Session::prepare(args)?;
    if args.dry_run {
        return session.tell().map(|()| Exit::Holds);
    }
    let cancel = signals::cancel_on_signals().or_exit(Exit::Environment)?;
    session.announce();
    session.systems.build(&cancel)?;
    if cancel.is_cancelled() {
        console::note("assay: interrupted before the first run; nothing was measured");
        return Ok(Exit::Interrupted);
    }
    session.create_folder()?;
    let (runs, stopped) = session.run_all(&cancel);
    session.conclude(runs, stopped, cancel.is_cancelled())
}

impl Session {
    fn prepare(args: &RunArgs) -> Result<Self, Coded> {
        let manifest = Manifest::load(&args.manifest).or_exit(Exit::BadInput)?;
        let host_cpus =
            HostCpus::choose_for(args.guest.cpus.as_deref(), &args.systems).or_exit(Exit::Usage)?;
        let sweeps = manifest.sweep().is_some();
        if args.vcpus.is_some() && !sweeps {
            let path = manifest.path().display();
            return Err(anyhow!("--vcpus: {path} has cases of its own, and no sweep")).or_exit(Exit::Usage);
        }
        let lab = Lab::on(host_cpus, &args.guest, &manifest)?.with_sweep(args.vcpus, args.rounds);
        let label = args.label.clone().unwrap_or_else(|| label::of_time(SystemTime::now()));
        let home = args.out.join(manifest.name().as_str());
        let folder = home.join(&label);
        label::check(&label, &folder).or_exit(Exit::Usage)?;
        let store = home.join(label::IMAGES);
        let systems = Systems::prepare(args, &manifest, &lab, &store)?;
        let prober = Prober::prepare(&args.probe, &lab, &manifest, &store, &folder.join("runs"));
        let tasks = systems.tasks();
        let rounds = args.rounds.unwrap_or(manifest.rounds());
        let seed = args.seed.unwrap_or_else(clock_seed);
        let boots = Rounds::new(&tasks, if sweeps { 1 } else { rounds }, SPARE, seed);
        let experiment = Experiment {
            name: manifest.name().to_string(),
            label: Some(label),
            manifest: Some(manifest.path().display().to_string()),
            manifest_sha256: Some(manifest.sha256().to_string()),
            pairing: if sweeps { Pairing::Iterations } else { Pairing::Runs },
            rounds: Some(u32::from(rounds)),
            set_aside_limit: boots.limit(),
            cases: manifest.cases().to_vec(),
            order_seed: Some(seed),
            claim: claim(&manifest),
        };
        let symbols = (!args.no_diagnosis).then(|| args.symbols.symbols.clone());
        Ok(Self { manifest, lab, systems, prober, tasks, rounds: boots, experiment, folder, symbols })
    }

    /// Makes the folder for the results, which nobody else may have made in the meantime.
    fn create_folder(&self) -> Result<(), Coded> {
        let folder = self.folder.display();
        match fs::create_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                Err(anyhow!("{folder}: another session has just made it; use another --label"))
                    .or_exit(Exit::Usage)
            }
            made => made
                .and_then(|()| fs::create_dir(self.folder.join("runs")))
                .with_context(|| format!("{folder}: cannot create"))
                .or_exit(Exit::Output),
        }
    }
}

fn claim(manifest: &Manifest) -> Option<ClaimRule> {
    let gate = manifest.gate()?;
    Some(ClaimRule { from: gate.from_workers, to: gate.to_workers, min_speedup: gate.min_speedup })
}
