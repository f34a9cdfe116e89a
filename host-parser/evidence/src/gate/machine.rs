//! The machine as the guest reported it. Part of a [`Measurement`](super::Measurement).

use std::collections::BTreeMap;

use abi::wire::record::{self, ApicMode, CoreKind, Firmware, SystemName, TopologySource};
use abi::wire::{Hex64, Label, Text};
use serde::Serialize;

/// What the guest reported about its machine.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MachineReport {
    /// The system that ran the workers: `assay`, `linux` or `native`.
    pub system: SystemName,
    /// Its version.
    pub release: Text<90>,
    /// What started the kernel.
    pub firmware: Firmware,
    /// CPUID's vendor string.
    pub vendor: Label,
    /// CPUID.1:EAX.
    pub signature: Hex64,
    /// CPUID's brand string.
    pub brand: Text<120>,
    /// The hypervisor's signature; empty if CPUID shows none.
    pub hypervisor: Text<36>,
    /// The mode of the local APICs.
    pub apic: ApicMode,
    /// The features among `nx`, `smep`, `smap`, `umip` and `invariant_tsc` that the CPU has and the kernel uses.
    pub features: Vec<&'static str>,
    /// CPUs online, including the boot CPU.
    pub cpus_online: u16,
    /// Which of them share a core, a package or memory.
    pub topology: Topology,
    /// Other facts about the platform; `None` if the guest did not report them.
    pub platform: Option<Platform>,
    /// How the system was set up to leave its workers alone; `None` for a system as it comes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tuning: Option<record::Tuning>,
    /// Bytes of usable memory.
    pub usable_bytes: u64,
    /// Bytes of the kernel's heap.
    pub heap_bytes: u64,
}

impl MachineReport {
    /// The hypervisor's signature, or `none`.
    #[must_use]
    pub fn hypervisor_name(&self) -> String {
        let name = self.hypervisor.to_string();
        if name.is_empty() { "none".to_owned() } else { name }
    }
}

/// The machine's topology as its CPUs report it. A field that they do not report is `None`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Topology {
    /// The source; `None` if no record says which CPUs share a core.
    pub source: Option<TopologySource>,
    /// Packages.
    pub packages: Option<u16>,
    /// Cores.
    pub cores: Option<u16>,
    /// Proximity domains that have CPUs.
    pub nodes: Option<u16>,
    /// Every CPU that has a `topology` record.
    pub cpus: Vec<CpuPlace>,
}

/// Where a CPU is. Numbers are unique in the whole machine: CPUs of one core have the same core number.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CpuPlace {
    /// The CPU's number.
    pub cpu: u16,
    /// Its package.
    pub package: Option<u32>,
    /// Its die.
    pub die: Option<u32>,
    /// Its core.
    pub core: Option<u32>,
    /// Its number among the threads of its core.
    pub thread: Option<u32>,
    /// The type of its core.
    pub kind: CoreKind,
    /// Its proximity domain.
    pub node: Option<u32>,
}

/// Other facts about the platform.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Platform {
    /// The `platform` record.
    #[serde(flatten)]
    pub record: record::Platform,
    /// The strings of its SMBIOS tables, by name.
    pub dmi: BTreeMap<String, String>,
}
