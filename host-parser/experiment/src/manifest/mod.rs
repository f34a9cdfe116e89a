//! The manifest: one TOML file that describes one experiment.
//!
//! Owns the file's format and every rule about its values. A [`Manifest`] has passed all of them, so no other code checks
//! again. Guesses nothing: an unknown key is an error, and docs/MANIFEST.md lists the few keys that may be absent.
//!
//! Reading has two steps: TOML to `RawManifest` (keys and types), and that to [`Manifest`] (values). Each
//! problem names file, line, column and key, and all problems are reported together if possible.

mod check;
mod lifecycle;
mod mechanisms;
mod outside;
mod problem;
mod profile;
mod raw;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use abi::Digest;
use abi::control::ControlKind;
use abi::plan::Needs;
use abi::series::{SeriesRow, Shortened};
use abi::syscall::Authority;
use abi::wire::Label;
use evidence::gate::{AskedMechanisms, Scaling};
use workloads::{Lookup, Words, Workload};

use outside::{OracleAt, beside};

pub use lifecycle::{LifeGate, LifeMachine, LifeRow, Lifecycle, MIN_GATED_CYCLES, Quantile};
pub use mechanisms::{Mechanisms, NoRows, TASKS};
pub use outside::Outside;
pub use problem::listing as problem_listing;
pub use problem::{ManifestError, Problem};
pub use profile::{
    Boot, Control, CorpusSpec, Gate, MachineProfile, MachineType, Oracle, Sweep, Tier, Timeouts,
};
pub use raw::{KEYS, KeySpec};

/// The version of the format: the value of `schema`.
pub const SCHEMA: u16 = 1;

/// The fewest rounds that a claim needs. If five paired rounds all agree, a one-sided sign test gives 1/32, the first value
/// below 5 percent.
pub const MIN_CLAIM_ROUNDS: u16 = 5;

/// The most rounds there can be.
pub const MAX_ROUNDS: u16 = 1000;

/// The most iterations of a case in one boot.
pub const MAX_ITERATIONS: u16 = 100;

/// A checked manifest. Only [`Manifest::load`] and [`Manifest::parse`] make one.
#[derive(Clone, Debug)]
pub struct Manifest {
    path: PathBuf,
    source: String,
    sha256: Digest,
    checked: Checked,
}

/// The values of a manifest that passed every check.
#[derive(Clone, Debug)]
struct Checked {
    name: Label,
    tier: Tier,
    rounds: u16,
    workload: &'static dyn Workload,
    outside: Option<Outside>,
    params: [u64; 4],
    authority: Authority,
    needs: Needs,
    corpus: Option<CorpusSpec>,
    cases: Vec<u16>,
    scaling: Scaling,
    sweep: Option<Sweep>,
    iterations: u16,
    warm_up_ms: u32,
    gate: Option<Gate>,
    oracle: Oracle,
    timeouts: Timeouts,
    machine: MachineProfile,
    platform: Option<abi::plan::Platform>,
    mechanisms: Option<Mechanisms>,
    most_samples: Option<u32>,
    lifecycle: Option<Lifecycle>,
    control: Option<Control>,
}

/// What each of `workers` workers does of `whole`.
fn parts(workload: &dyn Workload, whole: Words, workers: u16, scaling: Scaling) -> Vec<Words> {
    match scaling {
        Scaling::Strong => workload.split(whole, workers),
        Scaling::Weak => vec![whole; workers.into()],
    }
}

impl Manifest {
    /// Reads and checks the file at `path`, and the oracle's file if it names one.
    ///
    /// # Errors
    /// [`ManifestError::Read`] if the file cannot be read, else the errors of [`Manifest::parse`].
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let bytes =
            std::fs::read(path).map_err(|source| ManifestError::Read { path: path.to_owned(), source })?;
        Self::read(path, &bytes, workloads::by_name, &|file| Some(beside(path, file)))
    }

    /// Checks `bytes`, the content of `path`. Only error messages use the path. A manifest that names an oracle's file is
    /// refused: nothing is read.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`] with all problems.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::parse_with(path, bytes, workloads::by_name)
    }

    /// The same with the workloads that `lookup` finds.
    ///
    /// # Errors
    /// The same.
    pub fn parse_with(path: &Path, bytes: &[u8], lookup: Lookup) -> Result<Self, ManifestError> {
        Self::read(path, bytes, lookup, &|_| None)
    }

    /// The same for a manifest that was stored with its oracle, if it names one, in the file `oracle`.
    ///
    /// # Errors
    /// The same.
    pub fn parse_stored(path: &Path, bytes: &[u8], oracle: &Path) -> Result<Self, ManifestError> {
        Self::read(path, bytes, workloads::by_name, &|_| Some(oracle.to_owned()))
    }

    fn read(
        path: &Path,
        bytes: &[u8],
        lookup: Lookup,
        oracle_at: OracleAt<'_>,
    ) -> Result<Self, ManifestError> {
        let source = std::str::from_utf8(bytes).map_err(|error| {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let message = "expected UTF-8 text".to_owned();
            ManifestError::invalid(path, vec![Problem::at(&valid, &(valid.len()..valid.len()), "", message)])
        })?;
        let raw = toml::from_str(source)
            .map_err(|error| ManifestError::invalid(path, vec![Problem::from_toml(source, &error)]))?;
        let checked = check::check(path, source, &raw, lookup, oracle_at)
            .map_err(|problems| ManifestError::invalid(path, problems))?;
        Ok(Self { path: path.to_owned(), source: source.to_owned(), sha256: Digest::of(bytes), checked })
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file's text, comments and all.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// SHA-256 of the file's bytes.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }

    /// The experiment's name, valid in a record and as a folder's name.
    #[must_use]
    pub const fn name(&self) -> Label {
        self.checked.name
    }

    /// The kind of experiment.
    #[must_use]
    pub const fn tier(&self) -> Tier {
        self.checked.tier
    }

    /// How often every case is run; at least 1.
    #[must_use]
    pub const fn rounds(&self) -> u16 {
        self.checked.rounds
    }

    /// Whether the result can be a claim: a scaling experiment with a gate and at least [`MIN_CLAIM_ROUNDS`] rounds. Any
    /// other experiment is run and reported without a claim.
    #[must_use]
    pub fn can_claim(&self) -> bool {
        self.tier() == Tier::Scaling && self.gate().is_some() && self.rounds() >= MIN_CLAIM_ROUNDS
    }

    /// The workload's program, by name.
    #[must_use]
    pub fn program(&self) -> &'static str {
        self.workload().name()
    }

    /// The workload's reference.
    #[must_use]
    pub const fn workload(&self) -> &'static dyn Workload {
        self.checked.workload
    }

    /// The files of a program that is not Assay's own, if it is one.
    #[must_use]
    pub const fn outside(&self) -> Option<&Outside> {
        self.checked.outside.as_ref()
    }

    /// The workload's parameters, for the whole of a case.
    #[must_use]
    pub const fn params(&self) -> [u64; 4] {
        self.checked.params
    }

    /// What a worker may do.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.checked.authority
    }

    /// What each worker is granted, as the plan has it.
    #[must_use]
    pub const fn needs(&self) -> Needs {
        self.checked.needs
    }

    /// The corpus, if the workers have one.
    #[must_use]
    pub const fn corpus(&self) -> Option<CorpusSpec> {
        self.checked.corpus
    }

    /// The cases in the manifest's order: how many workers each has, on as many CPUs. Empty for a sweep.
    #[must_use]
    pub fn cases(&self) -> &[u16] {
        &self.checked.cases
    }

    /// How the work of a case grows with its workers.
    #[must_use]
    pub const fn scaling(&self) -> Scaling {
        self.checked.scaling
    }

    /// What each of `workers` workers does: a part of the whole, or all of it.
    #[must_use]
    pub fn parts(&self, workers: u16) -> Vec<Words> {
        parts(self.workload(), self.params(), workers, self.scaling())
    }

    /// How often each boot runs its case; at least 1. Iterations that the host disturbed are excluded, and the lower
    /// quartile of the rest is the time of the round.
    #[must_use]
    pub const fn iterations(&self) -> u16 {
        self.checked.iterations
    }

    /// How long each worker is warmed up before it is timed, in milliseconds.
    #[must_use]
    pub const fn warm_up_ms(&self) -> u32 {
        self.checked.warm_up_ms
    }

    /// How often an image's one boot runs each case: in every round as often as each boot of a session does. `None` if that
    /// is more than a plan can have.
    #[must_use]
    pub const fn iterations_of_an_image(&self) -> Option<u16> {
        self.rounds().checked_mul(self.iterations())
    }

    /// Set for a sweep: the kernel derives the cases from its machine. Then one boot runs all of them, and its iterations
    /// are the rounds.
    #[must_use]
    pub const fn sweep(&self) -> Option<Sweep> {
        self.checked.sweep
    }

    /// The claim to test; `None` if the experiment is only reported.
    #[must_use]
    pub const fn gate(&self) -> Option<Gate> {
        self.checked.gate
    }

    /// The answer of all workers of any case together; in weak scaling that of each.
    #[must_use]
    pub const fn oracle(&self) -> Oracle {
        self.checked.oracle
    }

    /// What goes wrong on purpose; only in the control tier.
    #[must_use]
    pub const fn control(&self) -> Option<Control> {
        self.checked.control
    }

    /// What each boot measures of the kernel's mechanisms; `None` for nothing.
    #[must_use]
    pub const fn mechanisms(&self) -> Option<&Mechanisms> {
        self.checked.mechanisms.as_ref()
    }

    /// What the gate must find of the mechanisms in a run with this program of the tasks.
    #[must_use]
    pub fn asked_mechanisms(&self, tasks: &crate::plan::WorkerBlob) -> Option<AskedMechanisms> {
        let Mechanisms { rows, short, samples, .. } = *self.mechanisms()?;
        Some(AskedMechanisms { program: tasks.sha256(), rows, short, samples })
    }

    /// What is measured of the life of machines; only in the lifecycle tier.
    #[must_use]
    pub const fn lifecycle(&self) -> Option<&Lifecycle> {
        self.checked.lifecycle.as_ref()
    }

    /// Measures one row of the mechanisms only.
    ///
    /// # Errors
    /// The manifest has no rows of mechanisms.
    pub fn measure_only(&mut self, row: SeriesRow) -> Result<(), NoRows> {
        let mechanisms = self.checked.mechanisms.as_mut().ok_or(NoRows("[mechanisms]"))?;
        mechanisms.rows = Shortened::One(row);
        Ok(())
    }

    /// Takes at most so many samples of each row.
    ///
    /// # Errors
    /// The manifest has no rows.
    pub fn take_samples(&mut self, most: u32) -> Result<(), NoRows> {
        if self.platform().is_none() && self.mechanisms().is_none() {
            return Err(NoRows("[platform] or [mechanisms]"));
        }
        self.checked.most_samples = Some(self.most_samples().map_or(most, |samples| samples.min(most)));
        Ok(())
    }

    /// The most samples of a row, if the manifest bounds them.
    #[must_use]
    pub const fn most_samples(&self) -> Option<u32> {
        self.checked.most_samples
    }

    /// What each boot measures of the platform; `None` for nothing.
    #[must_use]
    pub const fn platform(&self) -> Option<abi::plan::Platform> {
        self.checked.platform
    }

    /// Whether it is the kernel that goes wrong on purpose.
    #[must_use]
    pub fn kernel_errs(&self) -> bool {
        self.control().is_some_and(|control| control.kernel.kind != ControlKind::None)
    }

    /// How long things may take.
    #[must_use]
    pub const fn timeouts(&self) -> Timeouts {
        self.checked.timeouts
    }

    /// The machine that every case boots.
    #[must_use]
    pub const fn machine(&self) -> MachineProfile {
        self.checked.machine
    }
}
