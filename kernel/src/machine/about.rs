//! What the records say of the machine: what is known of it before it is brought up, and what was found on the way.

use abi::wire::record::{
    ApicMode, Brand, Cpu, CpuState, Features as FeaturesRecord, Firmware, Machine as MachineRecord, Memory,
    Rsdp, System, SystemName,
};
use abi::wire::{Hex64, Text};
use alloc::vec::Vec;
use harness::clock::{Choice, Reading};
use harness::x86::cpuid;

use crate::checks;
use crate::console;
use crate::cpu::PerCpu;
use crate::firmware::acpi::RootPointer;
use crate::mem::memory_map::MemoryMap;
use crate::smp::{RosterEntry, Started};
use crate::x86::apic;
use crate::x86::features::Features;

/// What is known of the machine before it is brought up.
#[derive(Clone, Copy, Debug)]
pub struct About {
    firmware: Firmware,
    /// The memory that it can use, in bytes.
    pub memory_bytes: u64,
    regions: u32,
    root: RootPointer,
    heap_bytes: u64,
}

impl About {
    /// What `memory` is before anything is taken from it, and the rest as it was found.
    #[must_use]
    pub fn new(firmware: Firmware, memory: &MemoryMap, root: RootPointer, heap_bytes: u64) -> Self {
        let regions = u32::try_from(memory.regions().len()).unwrap_or(u32::MAX);
        Self { firmware, memory_bytes: memory.bytes(), regions, root, heap_bytes }
    }

    /// Emits the records, and which checks the kernel was built without.
    pub fn report(&self) {
        let Self { firmware, memory_bytes, regions, root, heap_bytes } = *self;
        let signature = Hex64(u64::from(cpuid::leaf(1, 0).eax));
        console::record(MachineRecord {
            firmware,
            vendor: cpuid::vendor(),
            signature,
            hypervisor: cpuid::hypervisor_signature(),
        });
        console::record(System { name: SystemName::Assay, release: Text::new(env!("CARGO_PKG_VERSION")) });
        console::record(Brand { name: cpuid::brand() });
        console::record(Memory { usable_bytes: memory_bytes, regions, heap_bytes });
        console::record(Rsdp { source: root.source, at: Hex64(root.at) });
        checks::report();
    }
}

/// What was found while the machine was brought up.
pub(super) struct Inventory {
    pub features: Features,
    pub started: Vec<Started>,
    pub skipped: Vec<RosterEntry>,
    pub choice: Choice,
    pub readings: Vec<Reading>,
}

impl Inventory {
    /// Whether all CPUs came online.
    pub fn all_online(&self) -> bool {
        !self.started.iter().any(|cpu| cpu.state == CpuState::NoResponse)
    }

    /// Emits the records of the features and of the CPUs.
    pub fn report_cpus(&self) {
        let Features { nx, smep, smap, umip, invariant_tsc, .. } = self.features;
        let apic: ApicMode = apic::mode();
        console::record(FeaturesRecord { apic, nx, smep, smap, umip, invariant_tsc });
        for cpu in &self.started {
            let PerCpu { id, apic_id, .. } = *cpu.cpu;
            console::record(Cpu { cpu: id, apic: apic_id, state: cpu.state, cycles: cpu.cycles });
        }
        for entry in &self.skipped {
            console::record(Cpu { cpu: entry.id, apic: entry.apic_id, state: CpuState::Skipped, cycles: 0 });
        }
    }
}
