//! An experiment from its manifest to its results.

mod conclude;
mod died;
mod rounds;
mod tell;

use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::SystemTime;

use anyhow::{Context, anyhow};
use host::CancelToken;
use host_parser::manifest::Manifest;
use host_parser::results::Experiment;
use host_parser::stats::{ClaimRule, Pairing};

use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::label;
use crate::probe::{ProbeSpec, Prober};
use crate::rounds::{Rounds, SPARE};
use crate::run::RunKey;
use crate::schedule::clock_seed;
use crate::systems::{Systems, SystemsSpec};

/// What an experiment is to be run with.
pub struct RunSpec {
    /// The experiment.
    pub manifest: Manifest,
    /// What guests are made of.
    pub env: GuestEnv,
    /// The systems.
    pub systems: SystemsSpec,
    /// How the host is probed.
    pub probe: ProbeSpec,
    /// Rounds, instead of the manifest's.
    pub rounds: Option<u16>,
    /// Name of the folder for the results; by default the time.
    pub label: Option<String>,
    /// Where results go: OUT/EXPERIMENT/LABEL.
    pub out: PathBuf,
    /// Seed of the order; by default taken from the clock.
    pub seed: Option<u64>,
    /// Names for the addresses at which guests die; none where nobody wants to know why.
    pub symbols: Option<PathBuf>,
}

/// An experiment that is about to be run.
pub struct Session {
    manifest: Manifest,
    lab: GuestEnv,
    systems: Systems,
    prober: Prober,
    /// What a round is made of.
    tasks: Vec<RunKey>,
    /// How often every task is to be done: the manifest's rounds, or once for a sweep, whose rounds are in one boot.
    rounds: Rounds<RunKey>,
    experiment: Experiment,
    folder: PathBuf,
    /// Names for the addresses at which guests die; none where nobody wants to know why.
    symbols: Option<PathBuf>,
}

impl Session {
    /// Finds all that is needed.
    ///
    /// # Errors
    /// What is missing, or wrong with the specification.
    pub fn prepare(spec: RunSpec) -> Result<Self, Coded> {
        let RunSpec { manifest, env: lab, systems, probe, rounds, label, out, seed, symbols } = spec;
        let sweeps = manifest.sweep().is_some();
        let label = label.unwrap_or_else(|| label::of_time(SystemTime::now()));
        let home = out.join(manifest.name().as_str());
        let folder = home.join(&label);
        label::check(&label, &folder).or_exit(Exit::Usage)?;
        let store = home.join(label::IMAGES);
        let systems = Systems::prepare(&systems, &manifest, &lab, &store)?;
        let prober = Prober::prepare(&probe, &lab, &manifest, &store, &folder.join("runs"));
        let tasks = systems.tasks();
        let rounds = rounds.unwrap_or(manifest.rounds());
        let seed = seed.unwrap_or_else(clock_seed);
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
        Ok(Self { manifest, lab, systems, prober, tasks, rounds: boots, experiment, folder, symbols })
    }

    /// Runs the experiment, prints its results and says how it ended.
    ///
    /// # Errors
    /// What kept it from having results at all.
    pub fn run(&self, cancel: &CancelToken) -> Result<Exit, Coded> {
        self.announce();
        self.systems.build(cancel)?;
        if cancel.is_cancelled() {
            console::note("assay: interrupted before the first run; nothing was measured");
            return Ok(Exit::Interrupted);
        }
        self.create_folder()?;
        let (runs, stopped) = self.run_all(cancel);
        self.conclude(runs, stopped, cancel.is_cancelled())
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
