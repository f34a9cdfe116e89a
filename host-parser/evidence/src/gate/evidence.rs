//! Knowledge beside the log: the expectation of the run, and what the host observed.

use abi::Digest;
use serde::{Deserialize, Serialize};

/// What a run is expected to be. `None` is unknown, and not checked: a log from anywhere can be judged
/// without any of it.
#[derive(Clone, Debug, Default)]
pub struct RunExpectation {
    /// SHA-256 of the plan in the image.
    pub plan: Option<Digest>,
    /// The cases that were to be run, all of them and no other.
    pub cases: Option<Vec<ExpectedCase>>,
    /// How many CPUs the machine was given.
    pub cpus: Option<u16>,
    /// SHA-256 of the worker's ELF in the image.
    pub blob: Option<Digest>,
    /// The first 8 bytes of the build ID of the kernel in the image.
    pub build: Option<u64>,
}

/// A case that was to be run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ExpectedCase {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// How many times.
    pub iterations: u16,
}

/// What the host saw of a run.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
pub struct HostEvidence {
    /// How the machine ended.
    pub ended: Ended,
    /// How many CPUs the guest had; if unknown, the CPUs that the log shows online count.
    pub vcpus: Option<u16>,
    /// How many host CPUs it could run on: those it was pinned to, or all there are. SMT siblings count once.
    pub host_cpus: Option<u16>,
    /// Whether the scheduler's account of the guest's CPUs was read.
    pub watched: bool,
    /// What it did, iteration by iteration.
    pub delays: Vec<VcpuDelay>,
    /// What the hypervisor under the host took from it meanwhile; `None` if that was not read.
    #[serde(default)]
    pub host_steal: Option<HostSteal>,
    /// Why that could not be read, or not for every CPU.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host_steal_missing: Option<String>,
}

/// What the hypervisor under the host took from the host CPUs in force while a run measured, from each iteration's
/// `case-ready` to its `case-begin`: `steal` of /proc/stat, proc_stat(5). It is counted in ticks.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct HostSteal {
    /// The host CPU that lost most.
    pub cpu: u32,
    /// What it lost, in ms.
    pub stolen_ms: u64,
    /// How long was measured, in ms.
    pub wall_ms: u64,
}

/// What the host's scheduler did to one vCPU's thread from an iteration's `case-ready` to its `case-begin`: warm-up and
/// timed region, from outside.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct VcpuDelay {
    /// The case.
    pub case: u16,
    /// The iteration.
    pub iteration: u16,
    /// The hypervisor's number of the CPU.
    pub vcpu: u32,
    /// How long that was, in ns.
    pub wall_ns: u64,
    /// How long the thread was on a CPU, in ns.
    pub run_ns: u64,
    /// How long it could have run and was kept waiting, in ns.
    pub delay_ns: u64,
    /// How often its CPU was taken from it.
    pub involuntary_switches: u64,
}

/// How a machine ended, as its host saw it.
#[derive(Clone, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Ended {
    /// It is not known: a log from elsewhere.
    #[default]
    Unknown,
    /// The guest wrote this value to QEMU's isa-debug-exit device.
    DebugExit {
        /// The value, as [`abi::exit::GuestExit`] has it.
        value: u8,
    },
    /// The guest reset itself, or triple-faulted.
    Reset,
    /// The guest powered itself off.
    Shutdown,
    /// The guest reported a panic through a device.
    Panicked,
    /// The hypervisor could not go on.
    InternalError {
        /// Its words.
        detail: String,
    },
    /// The deadline passed, and the machine was killed.
    Deadline,
    /// It was stopped from outside.
    Cancelled,
    /// The guest printed more than this, and was killed.
    SerialOverflow {
        /// The limit, in bytes.
        limit_bytes: u64,
    },
    /// The virtual machine monitor ended for a reason of its own.
    Died {
        /// Its status and its words.
        detail: String,
    },
}

/// More CPUs in the guest than on the host: such a run shows function, never speed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub struct FunctionalOnly {
    /// CPUs in the guest.
    pub vcpus: u16,
    /// CPUs of the host that it could run on.
    pub host_cpus: u16,
}

impl HostEvidence {
    /// Whether the guest had more CPUs than the host could give it. `online` is how many the log shows.
    #[must_use]
    pub fn functional_only(&self, online: Option<u16>) -> Option<FunctionalOnly> {
        let (vcpus, host_cpus) = (self.vcpus.or(online)?, self.host_cpus?);
        (vcpus > host_cpus).then_some(FunctionalOnly { vcpus, host_cpus })
    }
}
