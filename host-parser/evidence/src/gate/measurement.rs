//! What a run measured. A [`Measurement`] exists only for a run that passed the gate.

use std::fmt;
use std::sync::Arc;

use abi::Digest;
use abi::syscall::Authority;
use abi::wire::record::{Corpus, Grant, Offset, Phase, SecondClock, Tsc, TscReading, Warp};
use abi::wire::{Hex64, Label};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Serialize, Serializer};

use super::evidence::FunctionalOnly;
use super::exclusion::Exclusion;
use super::machine::MachineReport;
use super::platform_rows::PlatformRows;
use super::sample::Sample;

/// TSC cycles.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Cycles(pub u64);

impl Cycles {
    /// Converts to nanoseconds at `khz`. `None` if that is 0 or the result does not fit.
    #[must_use]
    pub fn nanos(self, khz: u64) -> Option<Nanos> {
        let khz = std::num::NonZero::new(khz)?;
        // Of less than an hour or so: without a division of 128 bits, which takes longer than all else here.
        if let Some(product) = self.0.checked_mul(1_000_000) {
            return Some(Nanos(product / khz));
        }
        let nanos = u128::from(self.0) * 1_000_000 / u128::from(khz.get());
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

/// What a run measured, and under which conditions. Only the gate builds one, so a `Measurement` proves that the run
/// passed. It does not change, except that iterations can be excluded.
///
/// A log may have hundreds of thousands of boots, so what is equal in many of them is kept once (`share.rs`).
#[derive(Clone, Debug, PartialEq)]
pub struct Measurement {
    pub(super) nonce: Hex64,
    pub(super) report: Arc<Report>,
    pub(super) samples: Box<[Sample]>,
}

/// How the work of a case grows with its workers.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Scaling {
    /// It does not: the workers share one whole, each with a part of it. Ideal is a time divided by the number of workers.
    #[default]
    Strong,
    /// As their number: each worker does the whole. Ideal is a time that stays the same, so the time of one worker divided
    /// by that of n is the efficiency.
    Weak,
}

impl Scaling {
    /// The word for it in manifests and results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Weak => "weak",
        }
    }
}

/// What a boot reported beside its times. Boots of a real machine differ in it: no two have steps of the same length, and a
/// challenge makes each plan another one.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Report {
    pub plan: Digest,
    pub challenge: Option<Hex64>,
    pub setting: Arc<Setting>,
    pub clock: Clock,
    pub phases: Box<[Phase]>,
    pub platform: Option<PlatformRows>,
}

/// What all boots of one kernel, program and work on one machine have in common.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Setting {
    pub subject: Subject,
    pub machine: MachineReport,
    pub functional_only: Option<FunctionalOnly>,
    pub skipped: Box<[u16]>,
    pub sweep: Option<Sweep>,
    pub conditions: Conditions,
}

/// What all boots of one kernel, program and work have in common of their identity.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Subject {
    pub build: Hex64,
    pub work: Digest,
    pub experiment: Label,
    pub workload: Label,
    pub whole: [u64; 4],
    pub scaling: Option<Scaling>,
    pub grant: Option<Grant>,
    /// Results do not have it: their plan does.
    pub corpus: Option<Corpus>,
    pub authority: Authority,
    pub blob_sha256: Digest,
    pub blob_bytes: u32,
}

impl Serialize for Measurement {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let has_conditions = !self.conditions().is_nothing();
        let optional = usize::from(has_conditions) + usize::from(self.platform().is_some());
        let mut fields = serializer.serialize_struct("Measurement", 8 + optional)?;
        fields.serialize_field("identity", &self.identity())?;
        fields.serialize_field("machine", self.machine())?;
        fields.serialize_field("clock", self.clock())?;
        fields.serialize_field("functional_only", &self.functional_only())?;
        fields.serialize_field("phases", self.phases())?;
        fields.serialize_field("skipped", self.skipped())?;
        fields.serialize_field("sweep", &self.sweep())?;
        if has_conditions {
            fields.serialize_field("conditions", &self.conditions())?;
        }
        if let Some(platform) = self.platform() {
            fields.serialize_field("platform", platform)?;
        }
        fields.serialize_field("samples", self.samples())?;
        fields.end()
    }
}

impl Measurement {
    /// Which kernel, plan and program ran.
    #[must_use]
    pub fn identity(&self) -> Identity {
        let Subject {
            build,
            work,
            experiment,
            workload,
            whole,
            scaling,
            grant,
            authority,
            blob_sha256,
            blob_bytes,
            corpus: _,
        } = self.setting().subject;
        let (nonce, plan, challenge) = (self.nonce, self.report.plan, self.report.challenge);
        Identity {
            nonce,
            build,
            plan,
            challenge,
            work,
            experiment,
            workload,
            whole,
            scaling,
            grant,
            authority,
            blob_sha256,
            blob_bytes,
        }
    }

    fn setting(&self) -> &Setting {
        &self.report.setting
    }

    /// What the guest reported about the machine.
    #[must_use]
    pub fn machine(&self) -> &MachineReport {
        &self.setting().machine
    }

    /// The clock, and how it was checked.
    #[must_use]
    pub fn clock(&self) -> &Clock {
        &self.report.clock
    }

    /// Set if the guest had more CPUs than host CPUs to run on: then no time here shows speed.
    #[must_use]
    pub fn functional_only(&self) -> Option<FunctionalOnly> {
        self.setting().functional_only
    }

    /// The steps of the boot that the kernel timed.
    #[must_use]
    pub fn phases(&self) -> &[Phase] {
        &self.report.phases
    }

    /// Cases of the plan that the machine was too small for. The expectation did not list them.
    #[must_use]
    pub fn skipped(&self) -> &[u16] {
        &self.setting().skipped
    }

    /// Set if the run was a sweep: the kernel derived the cases from its machine.
    #[must_use]
    pub fn sweep(&self) -> Option<Sweep> {
        self.setting().sweep
    }

    /// Which disturbances would have been seen in every iteration.
    #[must_use]
    pub fn conditions(&self) -> Conditions {
        self.setting().conditions
    }

    /// The costs of the platform; `None` if the plan asked for none.
    #[must_use]
    pub fn platform(&self) -> Option<&PlatformRows> {
        self.report.platform.as_ref()
    }

    /// Every iteration of every case, in the order in which they ran.
    #[must_use]
    pub fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Its cases, from the smallest on.
    #[must_use]
    pub fn cases(&self) -> Vec<u16> {
        let mut cases: Vec<u16> = self.samples.iter().map(|sample| sample.case).collect();
        cases.sort_unstable();
        cases.dedup();
        cases
    }

    /// Whether the boot ran its cases only once, so that no other iteration can replace this one.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.samples.iter().all(|sample| sample.iteration == 0)
    }

    /// Excludes an iteration of all cases, for a reason that only the whole session shows. An earlier exclusion stays.
    pub fn exclude(&mut self, iteration: u16, why: &Exclusion) {
        for sample in self.samples.iter_mut().filter(|sample| sample.iteration == iteration) {
            sample.excluded.get_or_insert_with(|| Box::new(why.clone()));
        }
    }
}

/// A sweep's part of the plan.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Sweep {
    /// How many iterations each case was to have.
    pub iterations: u16,
    /// The seed of the order of the cases.
    pub order_seed: u64,
}

/// Which disturbances would have been seen in every iteration.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Conditions {
    /// A machine that stands still: a timer watched every worker's CPU.
    pub watched: bool,
    /// System-management interrupts: every worker's CPU counted them.
    pub smis: bool,
}

impl Conditions {
    /// Whether nothing would have been seen, as in the log of an older kernel, whose results do not have this.
    const fn is_nothing(&self) -> bool {
        !self.watched && !self.smis
    }
}

/// Which kernel, plan and program a run had.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Identity {
    /// The boot's nonce.
    pub nonce: Hex64,
    /// The first 8 bytes of the kernel's build ID.
    pub build: Hex64,
    /// SHA-256 of the plan.
    pub plan: Digest,
    /// The challenge of the plan; `None` if the log is of a kernel that had none.
    pub challenge: Option<Hex64>,
    /// SHA-256 of the plan without what the challenge decides; of the plan if there was no challenge. Plans with the same
    /// value ask for the same work.
    pub work: Digest,
    /// The experiment's name.
    pub experiment: Label,
    /// The workload's name.
    pub workload: Label,
    /// The whole that the splits of every case make up, or that each of its workers does, as the workload's parameters.
    pub whole: [u64; 4],
    /// Which of the two; `None` if no case has more than one worker. Results name weak scaling only, so that those of older
    /// versions are made again byte for byte.
    #[serde(skip_serializing_if = "is_not_weak")]
    pub scaling: Option<Scaling>,
    /// What each worker was granted beyond a stack of the usual size; `None` for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<Grant>,
    /// The syscalls its workers may make.
    pub authority: Authority,
    /// SHA-256 of the worker's ELF.
    pub blob_sha256: Digest,
    /// Its length in bytes.
    pub blob_bytes: u32,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a field so")]
fn is_not_weak(scaling: &Option<Scaling>) -> bool {
    *scaling != Some(Scaling::Weak)
}

/// The clock.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Clock {
    /// The TSC's frequency; `None` if no source gave one.
    pub tsc: Option<Tsc>,
    /// The clock that was held against the TSC. If its source is `none`, the times rest on the TSC alone; if it is not
    /// independent, it shows a wrong frequency, but not a TSC whose rate changed.
    pub second: Option<SecondClock>,
    /// The frequency by each source.
    pub readings: Vec<TscReading>,
    /// The warp test; `None` if there was one CPU.
    pub warp: Option<Warp>,
    /// How far each CPU's clock can be from CPU 0's.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub offsets: Vec<Offset>,
}
