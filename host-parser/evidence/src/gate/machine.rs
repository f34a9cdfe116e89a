//! The machine of a run, as far as the guest reported it. Part of a [`Measurement`](super::Measurement).

use std::collections::BTreeMap;

use abi::wire::record::{self, ApicMode, CoreKind, Firmware, SystemName, TopologySource};
use abi::wire::{Hex64, Label, Text};
use serde::Serialize;

/// What the guest reported of its machine.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MachineReport {
    /// What ran the workers: `assay`, `linux` or `native`.
    pub system: SystemName,
    /// The version of that.
    pub release: Text<90>,
    /// How the kernel was started.
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
    /// Which of `nx`, `smep`, `smap`, `umip` and `invariant_tsc` the CPU has and the kernel uses.
    pub features: Vec<&'static str>,
    /// CPUs online, the first included.
    pub cpus_online: u16,
    /// Which of them share what.
    pub topology: Topology,
    /// What else it says of itself; `None` if it does not.
    pub platform: Option<Platform>,
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

/// The machine's shape, as its CPUs report it. What they do not report is `None`.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Topology {
    /// Where it comes from; `None` if no record says which CPUs share a core.
    pub source: Option<TopologySource>,
    /// Packages.
    pub packages: Option<u16>,
    /// Cores.
    pub cores: Option<u16>,
    /// Proximity domains that CPUs are in.
    pub nodes: Option<u16>,
    /// Every CPU that has a record.
    pub cpus: Vec<CpuPlace>,
}

/// Where a CPU is. Numbers are those of the whole machine: the same core, the same number.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct CpuPlace {
    /// Which.
    pub cpu: u16,
    /// Its package.
    pub package: Option<u32>,
    /// Its die.
    pub die: Option<u32>,
    /// Its core.
    pub core: Option<u32>,
    /// Which thread of its core it is.
    pub thread: Option<u32>,
    /// The kind of its core.
    pub kind: CoreKind,
    /// Its proximity domain.
    pub node: Option<u32>,
}

/// What else the machine says of itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Platform {
    /// Its record.
    #[serde(flatten)]
    pub record: record::Platform,
    /// The strings of its SMBIOS tables, by name.
    pub dmi: BTreeMap<String, String>,
}
