//! The values of a manifest, checked: plain data, in types that carry their units.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use evidence::gate::ReasonCode;

/// What kind of statement an experiment is there for.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// How a workload scales with the number of CPUs.
    Scaling,
    /// That something which goes wrong is noticed. Runs a program that fails on purpose; claims nothing.
    Control,
}

/// QEMU's machine type.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineType {
    /// Intel Q35 with ICH9.
    Q35,
}

impl MachineType {
    /// QEMU's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Q35 => "q35",
        }
    }

    /// The most CPUs that an experiment on it can use. QEMU's q35 takes 288 from version 2.9 on, and more later; 8-bit
    /// APIC ids reach 255 (255 itself is the broadcast), and TCG before QEMU 9 has no others.
    #[must_use]
    pub const fn max_cpus(self) -> u16 {
        match self {
            Self::Q35 => 255,
        }
    }
}

/// Cases that are worked out by the machine that runs them, in one boot, instead of being listed.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sweep {
    /// 1, 2, 4, ... workers up to the number of cores, that number itself, and one worker on every CPU where there are
    /// more CPUs than cores; see [`abi::sweep`].
    PowersOfTwo,
}

impl Sweep {
    /// Whether machines that are large enough have this case.
    #[must_use]
    pub const fn has(self, workers: u16) -> bool {
        match self {
            Self::PowersOfTwo => workers.is_power_of_two(),
        }
    }
}

/// How the kernel is started.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Boot {
    /// By QEMU itself (PVH), without firmware and loader: the fastest way, and all that a measurement needs.
    Direct,
    /// From a disk image, by the BIOS that comes with QEMU.
    Bios,
    /// From a disk image, by a UEFI build found on the host.
    Uefi,
}

/// The machine that every case boots; the number of CPUs is the case's.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct MachineProfile {
    /// The machine type.
    #[serde(rename = "type")]
    pub machine_type: MachineType,
    /// How the kernel is started.
    pub boot: Boot,
    /// Memory in MiB.
    pub memory_mib: u32,
}

/// The claim: that `to_workers` workers, on as many CPUs, get at least `min_speedup` times as much done as
/// `from_workers` do.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gate {
    /// The case it is compared with.
    pub from_workers: u16,
    /// The case it is about; more workers than the other.
    pub to_workers: u16,
    /// The least median speed-up; above 0 and at most the ideal, `to_workers / from_workers`.
    pub min_speedup: f64,
}

/// What goes wrong on purpose in a control, and what must be said of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Control {
    /// The reason that the gate must give.
    pub expect: ReasonCode,
    /// What the kernel does wrong; of the kind `none` if the worker does.
    pub kernel: abi::plan::Control,
}

/// What the workers of any case answer together, written down beforehand.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Oracle {
    /// The answer to the workload's question.
    pub answer: u64,
    /// The work it takes, in the workload's unit.
    pub work: u64,
}

/// How long things may take. Each is at least a second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// From the start of QEMU to the first record.
    pub boot: Duration,
    /// From the common start of a case's workers to the last one's end; enforced by the kernel.
    pub worker: Duration,
    /// From the start of QEMU to its end; at least the other two together.
    pub run: Duration,
}
