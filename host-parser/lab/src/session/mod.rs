//! A session: rows by cases by rounds. `assay run`, `run --systems`, `ab` and `dev bench-verdict` are lists of rows for it.
//!
//! One schedule decides the order, one place which run comes next, and one ledger what the host excludes.

mod describe;
mod died;
mod make;
mod seal;
mod write;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, anyhow};
use evidence::gate::{Gate, Scaling};
use evidence::ledger::Ledger;
use experiment::manifest::Manifest;
use host::CancelToken;
use results::seal::SealWriter;
use results::seal::signature::SecretKey;
use results::{ClaimRule, Environment, Experiment, Pairing, Results, RunRecord, Tool};

use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::label;
use crate::probe::{ProbeSpec, Prober};
use crate::rounds::Rounds;
use crate::rows::Row;
pub use seal::{executable, random_name};

/// Where a session goes.
pub struct SessionFolder {
    /// The session's own folder, which is not there yet.
    pub path: PathBuf,
    /// Its name in the folder above.
    pub label: String,
    /// Where images are kept, for all sessions there.
    pub store: PathBuf,
}

impl SessionFolder {
    /// The folder `label` in HOME; by default it is named by the time.
    ///
    /// # Errors
    /// A label that is no name, or is taken.
    pub fn new(home: &Path, label: Option<String>) -> Result<Self, Coded> {
        let label = label.unwrap_or_else(|| label::of_time(SystemTime::now()));
        let path = home.join(&label);
        label::check(&label, &path).or_exit(Exit::Usage)?;
        Ok(Self { path, label, store: home.join(label::IMAGES) })
    }
}

/// How the rows of a session belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Layout {
    /// One set of results has all rows, and compares them. All runs of a round are shuffled, and a run that does not pass is
    /// a result.
    Together,
    /// Each row is a session in a folder of its name, so that any two can be compared by hand. The rows of a case run one
    /// after the other, in an order of theirs, and the first run that does not pass ends the session.
    Apart,
}

/// What a session is to do.
pub struct SessionSpec {
    /// What is announced: the experiment, or the command that asks for the session.
    pub command: String,
    /// The experiment.
    pub manifest: Manifest,
    /// What guests are made of, if no row has it otherwise.
    pub env: GuestEnv,
    /// The rows; at least one.
    pub rows: Vec<Row>,
    /// The cases that every row runs; of a sweep, how many CPUs its machine has.
    pub cases: Vec<u16>,
    /// Rounds that are to count.
    pub rounds: u16,
    /// How many may be excluded for each of them.
    pub spare: u16,
    /// How long it may take from its first run on, in place of a limit of what may be excluded.
    pub patience: Option<Duration>,
    /// Seed of the order.
    pub seed: u64,
    /// How the rows belong together.
    pub layout: Layout,
    /// How the host is probed.
    pub probe: ProbeSpec,
    /// Where it goes.
    pub folder: SessionFolder,
    /// Names for the addresses at which guests die; `None` to run no guest that died once more.
    pub symbols: Option<PathBuf>,
    /// What records the session.
    pub tool: Tool,
    /// Signs the end of the session's chain.
    pub sign: Option<SecretKey>,
}

/// One run of a round: a row's case.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Part {
    row: usize,
    case: u16,
}

/// A session that is about to be run.
pub struct Session {
    spec: SessionSpec,
    rounds: Rounds<Part>,
    prober: Prober,
    ledger: Ledger,
    /// Who judges the runs: of each row by itself if the rows are apart.
    gates: Vec<Gate>,
    /// In the order in which they were made.
    runs: Vec<RunRecord>,
    /// What each of these is.
    parts: Vec<Part>,
    /// Where, of each set of results: as it was before the first run.
    environments: Vec<Environment>,
    /// The chain, from the first run on.
    seal: Option<SealWriter>,
    /// The challenge of the next run; it is given by the chain's first line.
    challenge: u64,
    /// When its first run was due.
    begun: Instant,
    /// How long it had taken when its patience was over, if it was.
    out_of_patience: Option<Duration>,
}

/// How a session ended.
pub struct Ended {
    /// The results: one set, or one of each row.
    pub results: Vec<Results>,
    /// Whether a signal came before all was done.
    pub interrupted: bool,
    /// Why it was ended early, or why results could not be written; what ended it comes first.
    pub error: Option<Coded>,
    /// Whether the results were written.
    pub written: bool,
}

impl Session {
    /// Finds all that is needed.
    pub fn prepare(spec: SessionSpec) -> Self {
        let parts: Vec<Vec<Part>> = groups(&spec);
        let rounds = match spec.patience {
            Some(_) => Rounds::patient(&parts, spec.rounds, spec.spare, spec.seed),
            None => Rounds::new(&parts, spec.rounds, spec.spare, spec.seed),
        };
        let logs = match spec.layout {
            Layout::Together => spec.folder.path.join(RUNS),
            Layout::Apart => spec.folder.path.clone(),
        };
        let prober = Prober::prepare(&spec.probe, &spec.env, &spec.manifest, &spec.folder.store, &logs);
        let ledger = Ledger::new(prober.begin()).repeating(rounds.repeats().times);
        let gates = spec.rows.iter().map(|_| Gate::of(spec.manifest.workload())).collect();
        let environments = Vec::new();
        Self {
            spec,
            rounds,
            prober,
            ledger,
            gates,
            runs: Vec::new(),
            parts: Vec::new(),
            environments,
            seal: None,
            challenge: 0,
            begun: Instant::now(),
            out_of_patience: None,
        }
    }

    /// Where it goes.
    pub fn folder(&self) -> &Path {
        &self.spec.folder.path
    }

    /// Makes the runs and writes the results. `None` if a signal came before the first run: nothing was measured then.
    ///
    /// # Errors
    /// What kept it from making any run.
    pub fn run(&mut self, cancel: &CancelToken) -> Result<Option<Ended>, Coded> {
        for row in &self.spec.rows {
            row.env().check_accelerator()?;
        }
        self.announce();
        for row in &self.spec.rows {
            row.build(cancel)?;
        }
        if cancel.is_cancelled() {
            console::note("assay: interrupted before the first run; nothing was measured");
            return Ok(None);
        }
        self.create_folders()?;
        self.begin_chain()?;
        let stopped = self.make_all(cancel).err();
        Ok(Some(self.end(stopped, cancel.is_cancelled())))
    }

    /// The same, for rows that are apart: whether all runs were made, or a signal came first.
    ///
    /// # Errors
    /// What kept it from being complete.
    pub fn record(&mut self, cancel: &CancelToken) -> Result<bool, Coded> {
        let Some(ended) = self.run(cancel)? else { return Ok(false) };
        let complete = ended.error.is_none() && !ended.interrupted;
        if !complete && ended.written {
            let folder = self.folder().display();
            console::note(&format!("what was measured until then, and every run's log: {folder}"));
        }
        ended.error.map_or(Ok(complete), Err)
    }

    /// Makes the folder for the results, which must still be free, and those of its runs.
    fn create_folders(&self) -> Result<(), Coded> {
        let path = self.folder().display();
        let home = self.folder().parent().unwrap_or(Path::new("."));
        fs::create_dir_all(home).with_context(|| format!("{path}: cannot create")).or_exit(Exit::Output)?;
        match fs::create_dir(self.folder()) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(anyhow!("{path}: another session has just made it; use another --label"))
                    .or_exit(Exit::Usage);
            }
            made => made.with_context(|| format!("{path}: cannot create")).or_exit(Exit::Output)?,
        }
        (0..self.spec.rows.len()).try_for_each(|row| {
            let runs = self.runs_folder(row);
            fs::create_dir_all(&runs)
                .with_context(|| format!("{}: cannot create", runs.display()))
                .or_exit(Exit::Output)
        })
    }

    /// The set of results that a run belongs to.
    const fn set_of(&self, part: Part) -> usize {
        match self.spec.layout {
            Layout::Together => 0,
            Layout::Apart => part.row,
        }
    }

    /// Where the files of a row's runs go.
    fn runs_folder(&self, row: usize) -> PathBuf {
        match self.spec.layout {
            Layout::Together => self.folder().join(RUNS),
            Layout::Apart => self.folder().join(&self.spec.rows[row].name).join(RUNS),
        }
    }

    /// The experiment, as the results of the rows or of one row have it.
    fn experiment(&self, row: Option<&Row>) -> Experiment {
        let SessionSpec { manifest, cases, rounds, seed, folder, .. } = &self.spec;
        let sweeps = manifest.sweep().is_some();
        Experiment {
            name: manifest.name().to_string(),
            label: Some(row.map_or(&folder.label, |row| &row.name).clone()),
            manifest: Some(manifest.path().display().to_string()),
            manifest_sha256: Some(manifest.sha256().to_string()),
            pairing: Pairing::Runs,
            rounds: Some(u32::from(*rounds)),
            set_aside_limit: self.rounds.limit(),
            repeats: Some(self.rounds.repeats()),
            patience_ms: self.spec.patience.map(millis),
            cases: if sweeps { manifest.cases().to_vec() } else { cases.clone() },
            order_seed: Some(*seed),
            // Of rows that are apart the comparison makes the claim.
            claim: if row.is_some() { None } else { claim(manifest) },
            scaling: Some(manifest.scaling()).filter(|&scaling| scaling == Scaling::Weak),
            work_unit: manifest.outside().map(|_| manifest.workload().units().work.to_owned()),
        }
    }
}

/// A time in whole milliseconds.
fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The folder of the runs' files.
const RUNS: &str = "runs";

/// What a round is made of, in groups that stay together.
fn groups(spec: &SessionSpec) -> Vec<Vec<Part>> {
    let rows = 0..spec.rows.len();
    match spec.layout {
        Layout::Together => {
            let parts = rows.flat_map(|row| spec.cases.iter().map(move |&case| Part { row, case }));
            parts.map(|part| vec![part]).collect()
        }
        Layout::Apart => {
            let of_case = |&case: &u16| rows.clone().map(|row| Part { row, case }).collect();
            spec.cases.iter().map(of_case).collect()
        }
    }
}

fn claim(manifest: &Manifest) -> Option<ClaimRule> {
    let gate = manifest.gate()?;
    Some(ClaimRule { from: gate.from_workers, to: gate.to_workers, min_speedup: gate.min_speedup })
}
