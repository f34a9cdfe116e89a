//! The manifest: one TOML file that says what an experiment is.
//!
//! Owns the file's format and every rule about its values. A [`Manifest`] in hand has passed them all: nothing after it
//! checks again. Refuses to guess: there are no defaults, so that the file says all that was decided, and an unknown
//! key is an error.
//!
//! Reading has two steps: TOML to `RawManifest` (keys and types), and that to [`Manifest`] (values). Complaints name
//! file, line, column and key, and come all at once if possible.

mod check;
mod problem;
mod profile;
mod raw;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

use abi::Digest;
use abi::control::ControlKind;
use abi::syscall::Authority;
use abi::wire::Label;
use workloads::{Lookup, Workload};

pub use problem::listing as problem_listing;
pub use problem::{ManifestError, Problem};
pub use profile::{Boot, Control, Gate, MachineProfile, MachineType, Oracle, Sweep, Tier, Timeouts};
pub use raw::{KEYS, KeySpec};

/// The version of the format: the value of `schema`.
pub const SCHEMA: u16 = 1;

/// The fewest rounds from which a claim can be made. With five paired rounds that all agree, a one-sided sign test is
/// at 1/32, the first to be below 5 percent.
pub const MIN_CLAIM_ROUNDS: u16 = 5;

/// The most rounds there can be.
pub const MAX_ROUNDS: u16 = 1000;

/// The most iterations of a case in one boot.
pub const MAX_ITERATIONS: u16 = 100;

/// An experiment, checked. The only way to one is [`Manifest::load`] or [`Manifest::parse`].
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
    params: [u64; 4],
    authority: Authority,
    cases: Vec<u16>,
    sweep: Option<Sweep>,
    iterations: u16,
    gate: Option<Gate>,
    oracle: Oracle,
    timeouts: Timeouts,
    machine: MachineProfile,
    control: Option<Control>,
}

impl Manifest {
    /// Reads and checks the file at `path`.
    ///
    /// # Errors
    /// [`ManifestError::Read`] if it cannot be read, else those of [`Manifest::parse`].
    pub fn load(path: &Path) -> Result<Self, ManifestError> {
        let bytes =
            std::fs::read(path).map_err(|source| ManifestError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &bytes)
    }

    /// Checks `bytes`, which came from `path`; the path is only named in errors.
    ///
    /// # Errors
    /// [`ManifestError::Invalid`] with every problem that was found.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, ManifestError> {
        Self::parse_with(path, bytes, workloads::by_name)
    }

    /// The same with the workloads of `lookup`.
    ///
    /// # Errors
    /// Those of [`Manifest::parse`].
    pub fn parse_with(path: &Path, bytes: &[u8], lookup: Lookup) -> Result<Self, ManifestError> {
        let invalid = |mut problems: Vec<Problem>| {
            problems.sort_by_key(|problem| (problem.line, problem.column));
            ManifestError::Invalid { path: path.to_owned(), problems }
        };
        let source = std::str::from_utf8(bytes).map_err(|error| {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let message = "expected UTF-8 text".to_owned();
            invalid(vec![Problem::at(&valid, &(valid.len()..valid.len()), "", message)])
        })?;
        let raw =
            toml::from_str(source).map_err(|error| invalid(vec![Problem::from_toml(source, &error)]))?;
        let checked = check::check(source, &raw, lookup).map_err(invalid)?;
        Ok(Self { path: path.to_owned(), source: source.to_owned(), sha256: Digest::of(bytes), checked })
    }

    /// Where it came from.
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

    /// The experiment's name, fit for a record and for a folder.
    #[must_use]
    pub const fn name(&self) -> Label {
        self.checked.name
    }

    /// What kind of statement it is there for.
    #[must_use]
    pub const fn tier(&self) -> Tier {
        self.checked.tier
    }

    /// How often every case is run; at least 1.
    #[must_use]
    pub const fn rounds(&self) -> u16 {
        self.checked.rounds
    }

    /// Whether its result, if it passes, can be a claim: a scaling experiment with a gate and at least
    /// [`MIN_CLAIM_ROUNDS`] rounds. Any other runs and is reported, and no verdict about a gate is given.
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

    /// The workload's parameters, for the whole of a case.
    #[must_use]
    pub const fn params(&self) -> [u64; 4] {
        self.checked.params
    }

    /// The syscalls that a worker may make.
    #[must_use]
    pub const fn authority(&self) -> Authority {
        self.checked.authority
    }

    /// The cases, in the order in which they were written: how many workers each has, on as many CPUs. None for a
    /// sweep.
    #[must_use]
    pub fn cases(&self) -> &[u16] {
        &self.checked.cases
    }

    /// How often each boot runs its case; at least 1. Of several the quick ones count, and any that the host disturbed is
    /// left out. An image's one boot, whose iterations are the rounds, runs each case once in a round.
    #[must_use]
    pub const fn iterations(&self) -> u16 {
        self.checked.iterations
    }

    /// Set if the cases are worked out by the machine that runs them. Then one boot runs all of them, and its
    /// iterations are the rounds.
    #[must_use]
    pub const fn sweep(&self) -> Option<Sweep> {
        self.checked.sweep
    }

    /// The claim to be tested; `None` if the experiment is only reported.
    #[must_use]
    pub const fn gate(&self) -> Option<Gate> {
        self.checked.gate
    }

    /// What the workers of any case answer together.
    #[must_use]
    pub const fn oracle(&self) -> Oracle {
        self.checked.oracle
    }

    /// What goes wrong on purpose; in the control tier alone.
    #[must_use]
    pub const fn control(&self) -> Option<Control> {
        self.checked.control
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
