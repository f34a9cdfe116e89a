//! What the machine says of itself, as the kernel tells it: CPUID for what CPUID knows, Linux for what it switched on.

use std::fs;
use std::path::Path;

use abi::ApicId;
use abi::wire::record::{
    ApicMode, Brand, Cpu, CpuState, Features, Firmware, Machine, Memory, System, SystemName, Topology, Tsc,
    TscReading, Warp as WarpRecord,
};
use abi::wire::{Hex64, Text};
use kernel::clock::{Choice, Reading};
use kernel::smp::warp::Warp;
use kernel::x86::cpuid;

use crate::console::Console;
use crate::cpus::Roster;
use crate::linux::{self, cpuinfo, iomem, log};

/// Linux does not tell it.
const UNKNOWN_APIC: ApicId = ApicId(u32::MAX);

/// Tells of the system, the processor and the memory.
pub fn describe(system: SystemName, console: &mut Console) {
    console.record(Machine {
        firmware: firmware(),
        vendor: cpuid::vendor(),
        signature: Hex64(u64::from(cpuid::leaf(1, 0).eax)),
        hypervisor: cpuid::hypervisor_signature(),
    });
    console.record(System { name: system, release: Text::new(&linux::release()) });
    console.record(Brand { name: cpuid::brand() });
    let iomem::Usable { bytes, regions } = usable_memory();
    // Linux's heap is all of its memory; no part is set aside.
    console.record(Memory { usable_bytes: bytes, regions, heap_bytes: 0 });
}

/// What started Linux's loader, where that has left a trace.
fn firmware() -> Firmware {
    let exists = |path: &str| Path::new(path).exists();
    match (exists("/sys/firmware/efi"), exists("/sys/class/dmi/id/bios_vendor")) {
        (true, _) => Firmware::Uefi,
        (false, true) => Firmware::Bios,
        (false, false) => Firmware::Unknown,
    }
}

fn usable_memory() -> iomem::Usable {
    let iomem = fs::read_to_string("/proc/iomem").unwrap_or_default();
    iomem::usable(&iomem).unwrap_or_else(|| {
        let info = rustix::system::sysinfo();
        iomem::Usable { bytes: info.totalram * u64::from(info.mem_unit), regions: 1 }
    })
}

/// Tells of the features in force.
pub fn tell_features(log: Option<&str>, console: &mut Console) {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |flag| cpuinfo::has_flag(&cpuinfo, flag);
    // Where the log is gone: Linux uses x2APIC mode wherever it can.
    let x2apic = has("x2apic") && log.and_then(log::uses_x2apic).unwrap_or(true);
    console.record(Features {
        apic: if x2apic { ApicMode::X2apic } else { ApicMode::Xapic },
        nx: has("nx"),
        smep: has("smep"),
        smap: has("smap"),
        umip: has("umip"),
        invariant_tsc: cpuid::bit(cpuid::leaf(0x8000_0007, 0).edx, 8),
    });
}

/// Tells of the CPUs, and where they are. How long each took to come up Linux does not tell. In a guest the first is the one that booted;
/// natively that does not matter, and none is called so.
pub fn tell_cpus(system: SystemName, roster: &Roster, console: &mut Console) {
    let mut online = roster.online.clone();
    online.sort_by_key(|cpu| cpu.id);
    for cpu in &online {
        let booted = system == SystemName::Linux && cpu.linux == 0;
        let state = if booted { CpuState::Bsp } else { CpuState::Online };
        console.record(Cpu { cpu: cpu.id, apic: cpu.apic, state, cycles: 0 });
    }
    for &cpu in &roster.missing {
        console.record(Cpu { cpu, apic: UNKNOWN_APIC, state: CpuState::NoResponse, cycles: 0 });
    }
    for cpu in online {
        console.record(Topology::from(cpu.located));
    }
}

/// Tells of the clock.
pub fn tell_clock(choice: &Choice, readings: &[Reading], console: &mut Console) {
    for &Reading { source, khz } in readings {
        console.record(TscReading { source, khz });
    }
    let Choice { source, khz, sources, spread_ppm } = *choice;
    console.record(Tsc { source, khz, sources, spread_ppm });
}

/// Tells what the warp test found.
pub fn tell_warp(warp: &Warp, console: &mut Console) {
    let Warp { cpus, samples, handovers, least, max_warp } = *warp;
    console.record(WarpRecord { cpus, samples, handovers, least, max_warp });
}
