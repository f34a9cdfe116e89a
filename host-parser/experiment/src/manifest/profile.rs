//! The checked values of a manifest, as plain data in types with units.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use abi::grant::Copies;
use evidence::gate::ReasonCode;

/// The kind of experiment.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Tier {
    /// How a workload scales with the number of CPUs.
    Scaling,
    /// What the platform costs: exits, interrupts, memory, noise. Its cases only show that the machine runs. Such an
    /// experiment claims nothing.
    Platform,
    /// What operations of a kernel cost. Its cases only show that the machine runs. Such an experiment claims nothing.
    Mechanism,
    /// How long the steps of a machine's life take, from its VMM's start to its deletion. `assay lifecycle` runs it. Such an
    /// experiment claims nothing.
    Lifecycle,
    /// Whether the gate notices an error made on purpose. Such an experiment claims nothing.
    Control,
}

/// QEMU's machine type.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MachineType {
    /// Intel Q35 with ICH9.
    Q35,
    /// QEMU's minimal machine: no PCI, and a kernel that is loaded directly.
    Microvm,
}

impl MachineType {
    /// QEMU's name for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Q35 => "q35",
            Self::Microvm => "microvm",
        }
    }

    /// The most CPUs that an experiment on it can use. QEMU's q35 takes 288 from version 2.9 on, and more later; 8-bit
    /// APIC ids reach 255 (255 itself is the broadcast), and TCG before QEMU 9 has no others.
    #[must_use]
    pub const fn max_cpus(self) -> u16 {
        match self {
            Self::Q35 | Self::Microvm => 255,
        }
    }
}

/// Cases that the kernel derives from its machine in one boot, instead of a list of cases.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Sweep {
    /// 1, 2, 4, ... workers up to the number of cores, that number itself, and one worker on every CPU if there are more
    /// CPUs than cores; see [`abi::sweep`].
    PowersOfTwo,
}

impl Sweep {
    /// Whether a machine that is large enough has this case.
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
    /// By QEMU itself (PVH), without firmware and loader. It is the fastest way, and enough for a measurement.
    Direct,
    /// From a disk image, by the BIOS that comes with QEMU.
    Bios,
    /// From a disk image, by UEFI firmware found on the host.
    Uefi,
}

impl Boot {
    /// Its word in manifests.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Bios => "bios",
            Self::Uefi => "uefi",
        }
    }
}

/// The machine that every case boots. The case gives the number of CPUs.
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

/// The claim: `to_workers` workers, on as many CPUs, are at least `min_speedup` times as fast as `from_workers` workers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Gate {
    /// The case that the claim compares with.
    pub from_workers: u16,
    /// The case that the claim is about. It has more workers than the other.
    pub to_workers: u16,
    /// The least median speed-up; above 0 and at most the ideal, `to_workers / from_workers`.
    pub min_speedup: f64,
}

/// What goes wrong on purpose in a control, and the reason that must follow.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Control {
    /// The reason that the gate must give.
    pub expect: ReasonCode,
    /// What the kernel does wrong; of the kind `none` if the worker goes wrong.
    pub kernel: abi::plan::Control,
}

/// The answer of all workers of any case together, stated in advance.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Oracle {
    /// The answer to the workload's question.
    pub answer: u64,
    /// The amount of work, in the workload's unit.
    pub work: u64,
}

/// The corpus that the workers read.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct CorpusSpec {
    /// Its size in MiB; at least 1.
    pub mib: u16,
    /// How many copies of it are in memory.
    pub copies: Copies,
}

/// The time-outs. Each is at least a second.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Timeouts {
    /// From the start of QEMU to the first record.
    pub boot: Duration,
    /// From the common start of a case's workers to the last worker's end. The kernel enforces it.
    pub worker: Duration,
    /// From the start of QEMU to its end; at least the sum of the other two.
    pub run: Duration,
}
