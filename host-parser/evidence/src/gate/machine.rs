//! The machine of a run, as far as it told. Part of a [`Measurement`](super::Measurement).

use std::collections::BTreeMap;

use serde::Serialize;

/// What the machine said of itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct MachineReport {
    /// What ran the workers: `assay`, `linux` or `native`.
    pub system: String,
    /// The version of that.
    pub release: String,
    /// How the kernel was started.
    pub firmware: String,
    /// CPUID's vendor string.
    pub vendor: String,
    /// CPUID.1:EAX, 16 hexadecimal digits.
    pub signature: String,
    /// CPUID's brand string.
    pub brand: String,
    /// The hypervisor's signature; empty where CPUID shows none.
    pub hypervisor: String,
    /// The mode of the local APICs.
    pub apic: String,
    /// Which of `nx`, `smep`, `smap`, `umip` and `invariant_tsc` the CPU has and the kernel uses.
    pub features: Vec<&'static str>,
    /// CPUs online, the first included.
    pub cpus_online: u16,
    /// Which of them share what.
    pub topology: Topology,
    /// What else it says of itself; none where it does not.
    pub platform: Option<Platform>,
    /// Bytes of usable memory.
    pub usable_bytes: u64,
    /// Bytes of the kernel's heap.
    pub heap_bytes: u64,
}

/// The machine's shape, by the word of its CPUs. What is not told is none.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Topology {
    /// What told; none where the CPUs' records say nothing, or are not there: then nobody knows which CPUs share a core.
    pub source: Option<String>,
    /// Packages.
    pub packages: Option<u16>,
    /// Cores.
    pub cores: Option<u16>,
    /// Proximity domains that CPUs are in.
    pub nodes: Option<u16>,
    /// Every CPU that told.
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
    pub kind: String,
    /// Its proximity domain.
    pub node: Option<u32>,
}

/// What else the machine says of itself.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct Platform {
    /// The hypervisor's largest CPUID leaf, 16 hexadecimal digits; 0 where there is none.
    pub hypervisor_leaf: String,
    /// The microcode's revision, likewise; 0 where it is not told.
    pub microcode: String,
    /// What became of the search for SMBIOS tables.
    pub smbios: String,
    /// Their strings, by name.
    pub dmi: BTreeMap<String, String>,
}
