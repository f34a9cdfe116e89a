//! What the gate knows besides the log: what was to be run, and what the host observed.

use abi::Digest;
use abi::plan::{Mechanisms, Platform};
use abi::series::Shortened;
use serde::{Deserialize, Serialize};

/// What is expected of a run. A field that is `None` is unknown and not checked: a log from anywhere can be judged
/// without any of them.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct RunExpectation {
    /// SHA-256 of the plan in the image.
    pub plan: Option<Digest>,
    /// The challenge of the plan.
    pub challenge: Option<u64>,
    /// SHA-256 of the plan without what the challenge decides.
    pub work: Option<Digest>,
    /// SHA-256 of the plan, or of the plan without what its challenge decides. For a log from elsewhere, of which one of
    /// both may be known.
    pub plan_or_work: Option<Digest>,
    /// The cases that were to be run. No other may run.
    pub cases: Option<Vec<ExpectedCase>>,
    /// How many CPUs the machine has.
    pub cpus: Option<u16>,
    /// SHA-256 of the worker's ELF in the image.
    pub blob: Option<Digest>,
    /// How many bytes it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blob_bytes: Option<u32>,
    /// The first 8 bytes of the build ID of the kernel in the image.
    pub build: Option<u64>,
    /// The rows of the platform that the plan asks for; `None` if it asks for none, or is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub platform: Option<AskedRows>,
    /// The rows of the mechanisms that the plan asks for; likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mechanisms: Option<AskedMechanisms>,
}

/// What a plan asks for of the platform.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AskedRows {
    /// How long each CPU looks for gaps, in milliseconds.
    pub noise_ms: u32,
    /// The rows that do one operation less than they report.
    pub short: Shortened,
    /// Whether every sample is printed.
    pub samples: bool,
}

impl From<Platform> for AskedRows {
    fn from(Platform { noise_ms, short, samples }: Platform) -> Self {
        Self { noise_ms, short, samples }
    }
}

/// What a plan asks for of a kernel's mechanisms.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AskedMechanisms {
    /// SHA-256 of the program of the tasks.
    pub program: Digest,
    /// The rows to measure.
    pub rows: Shortened,
    /// The rows that do one operation less than they report.
    pub short: Shortened,
    /// Whether every sample is printed.
    pub samples: bool,
}

impl From<Mechanisms> for AskedMechanisms {
    fn from(Mechanisms { sha256: program, rows, short, samples, .. }: Mechanisms) -> Self {
        Self { program, rows, short, samples }
    }
}

/// A case that was to be run, and how often.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct ExpectedCase {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// How many iterations.
    pub iterations: u16,
}

/// What the host observed of a run.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostEvidence {
    /// How the machine ended.
    pub ended: Ended,
    /// How many CPUs the guest had; if that is unknown, the CPUs count that the log shows online.
    pub vcpus: Option<u16>,
    /// How many host CPUs it could run on: the CPUs that it was pinned to, or all. SMT siblings count once.
    pub host_cpus: Option<u16>,
    /// Whether the host read its scheduler's account of the vCPUs' threads.
    pub watched: bool,
    /// That account, one entry for each vCPU and iteration.
    pub delays: Vec<VcpuDelay>,
    /// How long the thread that read it waited for a CPU itself, one entry for each iteration.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watcher: Vec<WatcherDelay>,
    /// The CPU time that the hypervisor under the host took from the host; `None` if the host did not read it.
    #[serde(default)]
    pub host_steal: Option<HostSteal>,
    /// Why the host could not read that for every CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_steal_missing: Option<String>,
}

/// The CPU time that the hypervisor under the host took from the host CPUs in use during a run's measurements: `steal`
/// of /proc/stat, proc_stat(5), from each iteration's `case-ready` to its `case-begin`. The host counts it in ticks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HostSteal {
    /// The host CPU that lost the most time.
    pub cpu: u32,
    /// How much it lost, in ms.
    pub stolen_ms: u64,
    /// How long the measurements took, in ms.
    pub wall_ms: u64,
}

/// The host scheduler's account of one vCPU's thread from an iteration's `case-ready` to its `case-begin`, that is, for
/// the warm-up and the timed region.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct VcpuDelay {
    /// The case.
    pub case: u16,
    /// The iteration.
    pub iteration: u16,
    /// The hypervisor's number of the CPU.
    pub vcpu: u32,
    /// How long the host watched, in ns.
    pub wall_ns: u64,
    /// How long the thread was on a CPU, in ns.
    pub run_ns: u64,
    /// How long the thread was ready to run and waited for a CPU, in ns.
    pub delay_ns: u64,
    /// How often the scheduler took the CPU from it.
    pub involuntary_switches: u64,
}

/// How late the host's own readings of an iteration may be: how long the thread that makes them was ready to run and
/// waited for a CPU, from its reading at `case-ready` to that at `case-begin`.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WatcherDelay {
    /// The case.
    pub case: u16,
    /// The iteration.
    pub iteration: u16,
    /// How long, in ns.
    pub delay_ns: u64,
}

/// How the machine ended, as the host saw it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Ended {
    /// Unknown: the log is from elsewhere.
    #[default]
    Unknown,
    /// The guest wrote this value to QEMU's isa-debug-exit device.
    DebugExit {
        /// The value; [`abi::exit::GuestExit`] lists them.
        value: u8,
    },
    /// The guest reset itself, or triple-faulted.
    Reset,
    /// The guest reset itself, under a VMM that has neither ACPI's S5 nor a device for an exit code: its only way to end the
    /// VM. Whether it was at its end is in the log alone.
    ResetToEnd,
    /// The guest powered itself off.
    Shutdown,
    /// The guest reported a panic through a device.
    Panicked,
    /// The hypervisor could not go on.
    InternalError {
        /// The hypervisor's message.
        detail: String,
    },
    /// The deadline passed, and the machine was killed.
    Deadline,
    /// It was stopped from the host.
    Cancelled,
    /// The guest printed more than the limit, and was killed.
    SerialOverflow {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The virtual machine monitor exited, although the guest had not ended.
    Died {
        /// Its exit status and its message.
        detail: String,
    },
}

/// The guest had more CPUs than host CPUs to run on: the run shows function, never speed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct FunctionalOnly {
    /// CPUs in the guest.
    pub vcpus: u16,
    /// Host CPUs that it could run on.
    pub host_cpus: u16,
}

impl HostEvidence {
    /// Set if the guest had more CPUs than the host could give it. `online` is how many CPUs the log shows online.
    #[must_use]
    pub fn functional_only(&self, online: Option<u16>) -> Option<FunctionalOnly> {
        let (vcpus, host_cpus) = (self.vcpus.or(online)?, self.host_cpus?);
        (vcpus > host_cpus).then_some(FunctionalOnly { vcpus, host_cpus })
    }
}
