//! What a run measured. Values of these types exist only if the gate let a run pass.

use std::fmt;

use abi::Digest;
use abi::syscall::Authority;
use abi::wire::record::{Phase, Tsc, TscReading, Warp};
use abi::wire::{Hex64, Label};
use serde::Serialize;

use super::evidence::FunctionalOnly;
use super::exclusion::Exclusion;
use super::machine::MachineReport;

/// TSC cycles.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Cycles(pub u64);

impl Cycles {
    /// In nanoseconds, at `khz`.
    #[must_use]
    pub fn nanos(self, khz: u64) -> Option<Nanos> {
        let nanos = u128::from(self.0) * 1_000_000 / u128::from(std::num::NonZero::new(khz)?.get());
        u64::try_from(nanos).ok().map(Nanos)
    }
}

impl fmt::Display for Cycles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Nanoseconds.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub struct Nanos(pub u64);

/// What a run measured, and under what conditions. Built by the gate alone: to hold one is to know that the run passed.
/// Nothing in it can be changed; iterations can be excluded.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Measurement {
    pub(super) identity: Identity,
    pub(super) machine: MachineReport,
    pub(super) clock: Clock,
    pub(super) functional_only: Option<FunctionalOnly>,
    pub(super) phases: Vec<Phase>,
    pub(super) skipped: Vec<u16>,
    pub(super) sweep: Option<Sweep>,
    pub(super) samples: Vec<Sample>,
}

impl Measurement {
    /// Which kernel, plan and program ran.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What the machine said of itself.
    #[must_use]
    pub fn machine(&self) -> &MachineReport {
        &self.machine
    }

    /// The clock, and how it was checked.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.clock
    }

    /// Set if the guest had more CPUs than the host: then nothing here is a speed.
    #[must_use]
    pub fn functional_only(&self) -> Option<FunctionalOnly> {
        self.functional_only
    }

    /// The steps of the boot, as far as the kernel timed them.
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        &self.phases
    }

    /// Cases of the plan that the machine was too small for, and that the expectation does not list.
    #[must_use]
    pub fn skipped(&self) -> &[u16] {
        &self.skipped
    }

    /// Set if the cases were worked out by the machine that ran them.
    #[must_use]
    pub const fn sweep(&self) -> Option<Sweep> {
        self.sweep
    }

    /// Every iteration of every case, in the order in which they ran.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Whether the boot ran its cases once: no other iteration can take the place of this one.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.samples.iter().all(|sample| sample.iteration == 0)
    }

    /// Excludes an iteration, with all its cases, for what only the whole session shows. An exclusion that is there stays.
    pub fn exclude(&mut self, iteration: u16, why: &Exclusion) {
        for sample in self.samples.iter_mut().filter(|sample| sample.iteration == iteration) {
            sample.excluded.get_or_insert_with(|| why.clone());
        }
    }
}

/// A sweep, as the plan had it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Sweep {
    /// How often every case was to be run.
    pub iterations: u16,
    /// What the order of the cases came from.
    pub order_seed: u64,
}

/// Which kernel, plan and program a run had.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct Identity {
    /// The boot's nonce.
    pub nonce: Hex64,
    /// The first 8 bytes of the kernel's build ID.
    pub build: Hex64,
    /// SHA-256 of the plan.
    pub plan: Digest,
    /// The experiment's name.
    pub experiment: Label,
    /// The workload's name.
    pub workload: Label,
    /// The whole that the splits of every case make up, in the workload's parameters.
    pub whole: [u64; 4],
    /// The syscalls its workers may make.
    pub authority: Authority,
    /// SHA-256 of the worker's ELF.
    pub blob_sha256: Digest,
    /// Its length in bytes.
    pub blob_bytes: u32,
}

/// The clock.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Clock {
    /// The TSC's frequency, if any source gave one.
    pub tsc: Option<Tsc>,
    /// What each source said.
    pub readings: Vec<TscReading>,
    /// The test between the CPUs, if there was more than one.
    pub warp: Option<Warp>,
}

/// What a sample's time is.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Basis {
    /// From the first worker's start to the last one's end, by clocks that were found in step.
    Makespan,
    /// The longest worker's own time: the clocks were not shown to be in step.
    LongestWorker,
}

impl Basis {
    /// The word for it in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Makespan => "makespan",
            Self::LongestWorker => "longest-worker",
        }
    }
}

/// One iteration of one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Sample {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// Which iteration, from 0.
    pub iteration: u16,
    /// Why its iteration counts for nothing, if it is one of several; a run with a single iteration does not pass then, or
    /// its round is excluded.
    #[serde(rename = "set_aside")]
    pub excluded: Option<Exclusion>,
    /// Whether workers shared a core: then it shows what SMT gives, and is never core scaling. `false` if that is unknown.
    pub smt: bool,
    /// Its time, on the basis beside it.
    pub cycles: Cycles,
    /// What the time is.
    pub basis: Basis,
    /// From the first start to the last end, whether or not the clocks were in step.
    pub makespan: Cycles,
    /// The longest worker's own time.
    pub longest: Cycles,
    /// From the first worker's start to the last one's.
    pub start_spread: Cycles,
    /// Its workers, by number.
    pub workers: Vec<WorkerSample>,
}

/// One worker of a sample.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct WorkerSample {
    /// Which worker, from 0.
    pub worker: u16,
    /// The CPU it ran on.
    pub cpu: u16,
    /// What it was given.
    pub params: [u64; 4],
    /// Cycles from the common start to its own.
    pub skew: Cycles,
    /// Cycles of its timed region.
    pub cycles: Cycles,
    /// The same shifted right by 20.
    pub scaled: u32,
    /// Interrupts of its CPU meanwhile: none, unless the system is Linux.
    pub irqs: u16,
    /// How often its CPU could read the TSC in half a millisecond, with the same work between any two readings, just before:
    /// the CPU's pace.
    pub reads_before: u32,
    /// Just after.
    pub reads_after: u32,
    /// Its answer, which is the reference's.
    pub answer: u64,
    /// Its count of work, which is the reference's.
    pub work: u64,
    /// Its digest, which is the reference's.
    pub digest: Hex64,
}

impl Sample {
    /// How many readings the pace checks of its workers' CPUs had on average; `None` if a CPU has none.
    #[must_use]
    pub fn pace(&self) -> Option<f64> {
        let checks = self.workers.iter().flat_map(|worker| [worker.reads_before, worker.reads_after]);
        let readings: Vec<f64> = checks.map(f64::from).collect();
        let all = !readings.is_empty() && readings.iter().all(|&readings| readings > 0.0);
        all.then(|| readings.iter().sum::<f64>() / readings.len() as f64)
    }
}
