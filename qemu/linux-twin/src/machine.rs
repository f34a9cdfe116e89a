//! The records that describe the machine, as the kernel emits them: from CPUID, and from Linux for what it enabled.

use std::fs;
use std::path::Path;

use abi::ApicId;
use abi::wire::record::{
    ApicMode, Brand, Cpu, CpuState, Features, Firmware, Machine, Memory, System, SystemName, Topology,
};
use abi::wire::{Hex64, Text};
use harness::Sink;
use harness::x86::cpuid;

use crate::console::Console;
use crate::cpus::Roster;
use crate::linux::{self, cpuinfo, iomem, log};

/// Linux does not report the id of a CPU that it did not bring up.
const UNKNOWN_APIC: ApicId = ApicId(u32::MAX);

/// Emits the records of the system, the processor and the memory.
pub fn describe(system: SystemName, console: &mut Console) {
    console.record(
        Machine {
            firmware: firmware(),
            vendor: cpuid::vendor(),
            signature: Hex64(u64::from(cpuid::leaf(1, 0).eax)),
            hypervisor: cpuid::hypervisor_signature(),
        }
        .into(),
    );
    console.record(System { name: system, release: Text::new(&linux::release()) }.into());
    console.record(Brand { name: cpuid::brand() }.into());
    let iomem::Usable { bytes, regions } = usable_memory();
    // Linux's heap is all of its memory; none is reserved.
    console.record(Memory { usable_bytes: bytes, regions, heap_bytes: 0 }.into());
}

/// What started Linux's loader, if that has left a trace.
fn firmware() -> Firmware {
    let exists = |path: &str| Path::new(path).exists();
    match (exists("/sys/firmware/efi"), exists("/sys/class/dmi/id/bios_vendor")) {
        (true, _) => Firmware::Uefi,
        (false, true) => Firmware::Bios,
        (false, false) => Firmware::Unknown,
    }
}

/// The memory that Linux has.
pub fn usable_memory() -> iomem::Usable {
    let iomem = fs::read_to_string("/proc/iomem").unwrap_or_default();
    iomem::usable(&iomem).unwrap_or_else(|| {
        let info = rustix::system::sysinfo();
        iomem::Usable { bytes: info.totalram * u64::from(info.mem_unit), regions: 1 }
    })
}

/// Emits the features that Linux uses.
pub fn report_features(log: Option<&str>, console: &mut Console) {
    let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let has = |flag| cpuinfo::has_flag(&cpuinfo, flag);
    // Without the log it is assumed: Linux uses x2APIC mode if it can.
    let x2apic = has("x2apic") && log.and_then(log::uses_x2apic).unwrap_or(true);
    console.record(
        Features {
            apic: if x2apic { ApicMode::X2apic } else { ApicMode::Xapic },
            nx: has("nx"),
            smep: has("smep"),
            smap: has("smap"),
            umip: has("umip"),
            invariant_tsc: cpuid::bit(cpuid::leaf(0x8000_0007, 0).edx, 8),
        }
        .into(),
    );
}

/// Emits the CPUs and their places. Linux does not report how long each took to come up. In a guest the first is the one
/// that booted; natively that does not matter, and no CPU is called the BSP.
pub fn report_cpus(system: SystemName, roster: &Roster, console: &mut Console) {
    let mut online = roster.online.clone();
    online.sort_by_key(|cpu| cpu.id);
    for cpu in &online {
        let booted = system == SystemName::Linux && cpu.linux == 0;
        let state = if booted { CpuState::Bsp } else { CpuState::Online };
        console.record(Cpu { cpu: cpu.id, apic: cpu.apic, state, cycles: 0 }.into());
    }
    for &cpu in &roster.missing {
        console.record(Cpu { cpu, apic: UNKNOWN_APIC, state: CpuState::NoResponse, cycles: 0 }.into());
    }
    for cpu in online {
        console.record(Topology::from(cpu.located).into());
    }
}
