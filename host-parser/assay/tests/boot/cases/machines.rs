//! Rows by machine: type, CPU model, number of CPUs, memory, firmware, and boot medium.

use qemu::DiskBus;

use crate::case::Ending::{Passes, PassesWith, Refused, Unseen};
use crate::case::Medium::{Disk, IsoCd, IsoDisk, IsoStick, Stick};
use crate::case::Part::{Hpet, Serial, Vga};
use crate::case::Start::{Bios, Direct, Uefi};
use crate::case::{Case, Ending, Needs};

/// The plainest machine: two CPUs and 128 MiB, started by QEMU itself.
pub const PLAIN: Case = Case {
    name: "",
    machine: "q35",
    start: Direct,
    cpu: "max",
    cpus: 2,
    shape: [0; 3],
    nodes: 0,
    mib: 128,
    without: &[Vga],
    extra: &[],
    tables: None,
    needs: Needs::Nothing,
    ends: Passes,
    says: &[],
};

/// The same, started by firmware. The BIOS loader sets a video mode, and hangs without a display adapter.
const BIOS: Case = Case { start: Bios(Disk(DiskBus::Ata)), without: &[], ..PLAIN };
const UEFI: Case = Case { start: Uefi(Disk(DiskBus::Ata)), without: &[], mib: 256, ..PLAIN };

/// The same on a CPU without 64-bit mode.
const OLD: Case = Case { cpus: 1, ends: Refused("no-long-mode", "no 64-bit mode"), ..PLAIN };

/// A machine with more CPUs than xAPIC mode can address.
const HUGE: Case = Case { needs: Needs::X2apic, says: &["apic=x2apic"], mib: 512, ..PLAIN };

/// All rows by machine.
pub const CASES: &[Case] = &[
    // Machine types, started by QEMU itself.
    Case { name: "q35", ..PLAIN },
    Case { name: "pc", machine: "pc", ..PLAIN },
    Case { name: "microvm", machine: "microvm", ..PLAIN },
    Case { name: "microvm, no PIT", machine: "microvm,pit=off", says: &["ev=tsc source=rtc"], ..PLAIN },
    Case { name: "microvm, no PIT, no RTC", machine: "microvm,pit=off,rtc=off", ends: NO_CLOCK, ..PLAIN },
    Case { name: "microvm, no PIC", machine: "microvm,pic=off", ..PLAIN },
    Case { name: "microvm, no RTC", machine: "microvm,rtc=off", ..PLAIN },
    Case { name: "microvm, no ACPI", machine: "microvm,acpi=off", ends: NO_ACPI, ..PLAIN },
    Case { name: "microvm, no serial", machine: "microvm", without: &[Vga, Serial], ends: Unseen, ..PLAIN },
    Case { name: "pc, no ACPI", machine: "pc,acpi=off", ends: NO_ACPI, ..PLAIN },
    Case { name: "q35, no HPET", without: &[Vga, Hpet], says: &["ev=tsc source=pm-timer"], ..PLAIN },
    Case { name: "pc, no HPET", machine: "pc", without: &[Vga, Hpet], ..PLAIN },
    Case { name: "q35, no serial", without: &[Vga, Serial], ends: Unseen, ..PLAIN },
    Case { name: "q35, no PS/2", machine: "q35,i8042=off", ..PLAIN },
    Case { name: "q35, VGA", without: &[], ..PLAIN },
    // CPU models, oldest first: those without long mode or NX are refused.
    Case { name: "pentium", cpu: "pentium", ..OLD },
    Case { name: "pentium3", cpu: "pentium3", ..OLD },
    Case { name: "n270", cpu: "n270", ..OLD },
    Case { name: "qemu32", cpu: "qemu32", ..OLD },
    Case { name: "qemu64 without long mode", cpu: "qemu64,-lm", ..OLD },
    Case {
        name: "qemu64 without NX",
        cpu: "qemu64,-nx",
        ends: Refused("no-nx", "no no-execute pages"),
        ..PLAIN
    },
    Case { name: "qemu64", cpu: "qemu64", says: &["nx=1 smep=0 smap=0 umip=0"], ..PLAIN },
    Case { name: "kvm64", cpu: "kvm64", ..PLAIN },
    Case { name: "Opteron_G1", cpu: "Opteron_G1", ..PLAIN },
    Case { name: "phenom", cpu: "phenom", ..PLAIN },
    Case { name: "Opteron_G5", cpu: "Opteron_G5", ..PLAIN },
    Case { name: "core2duo", cpu: "core2duo", ..PLAIN },
    Case { name: "Nehalem", cpu: "Nehalem", ..PLAIN },
    Case { name: "SandyBridge", cpu: "SandyBridge", ..PLAIN },
    Case { name: "Haswell", cpu: "Haswell", ..PLAIN },
    Case { name: "Skylake-Server", cpu: "Skylake-Server", ..PLAIN },
    Case { name: "Icelake-Server", cpu: "Icelake-Server", ..PLAIN },
    Case { name: "Denverton", cpu: "Denverton", ..PLAIN },
    Case { name: "KnightsMill", cpu: "KnightsMill", ..PLAIN },
    Case { name: "EPYC", cpu: "EPYC", ..PLAIN },
    Case { name: "EPYC-Milan", cpu: "EPYC-Milan", ..PLAIN },
    Case { name: "Dhyana", cpu: "Dhyana", ..PLAIN },
    Case {
        name: "qemu64 without a local APIC",
        cpu: "qemu64,-apic",
        cpus: 1,
        ends: Refused("no-local-apic", "no local APIC"),
        ..PLAIN
    },
    Case { name: "max without a hypervisor's flag", cpu: "max,-hypervisor", ..PLAIN },
    Case { name: "max with LA57 off", cpu: "max,-la57", ..PLAIN },
    // Numbers of CPUs, and how they are arranged.
    Case { name: "1 CPU", cpus: 1, ..PLAIN },
    Case { name: "3 CPUs", cpus: 3, ..PLAIN },
    Case { name: "5 CPUs", cpus: 5, ..PLAIN },
    Case { name: "8 CPUs", cpus: 8, ..PLAIN },
    Case { name: "16 CPUs", cpus: 16, ..PLAIN },
    Case { name: "64 CPUs", cpus: 64, mib: 256, ..PLAIN },
    Case { name: "255 CPUs", cpus: 255, mib: 512, ..PLAIN },
    Case { name: "255 CPUs on pc", machine: "pc", cpus: 255, mib: 512, ..PLAIN },
    Case { name: "128 CPUs on microvm", machine: "microvm", cpus: 128, mib: 512, ..PLAIN },
    Case { name: "8 sockets", cpus: 8, shape: [8, 1, 1], ..PLAIN },
    Case { name: "4 cores of 2 threads", cpus: 8, shape: [1, 4, 2], ..PLAIN },
    Case { name: "2 sockets of 3 cores: gaps in the ids", cpus: 6, shape: [2, 3, 1], ..PLAIN },
    Case { name: "3 sockets of 3 cores of 2 threads", cpus: 18, shape: [3, 3, 2], ..PLAIN },
    Case { name: "places for 12, CPUs for 5", cpus: 5, shape: [2, 3, 2], says: &["state=skipped"], ..PLAIN },
    Case { name: "2 NUMA nodes", cpus: 4, shape: [2, 2, 1], nodes: 2, ..PLAIN },
    Case { name: "4 NUMA nodes, unequal", cpus: 9, shape: [3, 3, 1], nodes: 4, mib: 250, ..PLAIN },
    Case { name: "256 CPUs", cpus: 256, ..HUGE },
    Case { name: "288 CPUs", cpus: 288, extra: REMAPPING, ..HUGE },
    Case { name: "300 CPUs, ids to 319", cpus: 300, shape: [3, 100, 1], extra: REMAPPING, ..HUGE },
    Case {
        name: "3 CPUs, one with id 270",
        shape: [288, 1, 1],
        extra: LONE,
        needs: Needs::X2apic,
        ends: PassesWith(3),
        says: &["apic=x2apic", "apic=270 state=online"],
        ..PLAIN
    },
    // Memory. Most of it is never touched.
    Case { name: "64 MiB", mib: 64, ..PLAIN },
    Case { name: "65 MiB", mib: 65, ..PLAIN },
    Case { name: "1 GiB", mib: 1 << 10, ..PLAIN },
    Case { name: "3 GiB", mib: 3 << 10, ..PLAIN },
    Case { name: "4 GiB", mib: 4 << 10, ..PLAIN },
    Case { name: "16 GiB", mib: 16 << 10, ..PLAIN },
    Case { name: "16 GiB on pc", machine: "pc", mib: 16 << 10, ..PLAIN },
    Case { name: "4 GiB on microvm", machine: "microvm", mib: 4 << 10, ..PLAIN },
    // BIOS: the media that the loader can be on, then other machines.
    Case { name: "BIOS: AHCI", ..BIOS },
    Case { name: "BIOS: IDE", machine: "pc", ..BIOS },
    Case { name: "BIOS: AHCI on pc", machine: "pc", start: Bios(Disk(DiskBus::Ahci)), ..BIOS },
    Case { name: "BIOS: NVMe", start: Bios(Disk(DiskBus::Nvme)), ..BIOS },
    Case { name: "BIOS: virtio-blk", start: Bios(Disk(DiskBus::VirtioBlk)), ..BIOS },
    Case { name: "BIOS: USB stick", start: Bios(Stick), ..BIOS },
    Case { name: "BIOS: CD", start: Bios(IsoCd), ..BIOS },
    Case { name: "BIOS: CD on pc", machine: "pc", start: Bios(IsoCd), ..BIOS },
    Case { name: "BIOS: ISO as disk", start: Bios(IsoDisk(DiskBus::Ata)), ..BIOS },
    Case { name: "BIOS: ISO as IDE disk", machine: "pc", start: Bios(IsoDisk(DiskBus::Ata)), ..BIOS },
    Case { name: "BIOS: ISO as NVMe disk", start: Bios(IsoDisk(DiskBus::Nvme)), ..BIOS },
    Case { name: "BIOS: ISO as USB stick", start: Bios(IsoStick), ..BIOS },
    Case { name: "BIOS: qemu64, 8 CPUs", cpu: "qemu64", cpus: 8, ..BIOS },
    Case { name: "BIOS: 255 CPUs", cpus: 255, mib: 512, ..BIOS },
    Case { name: "BIOS: 64 MiB", mib: 64, ..BIOS },
    Case { name: "BIOS: 16 GiB", mib: 16 << 10, ..BIOS },
    Case { name: "BIOS: no serial", without: &[Serial], ends: Unseen, ..BIOS },
    Case { name: "BIOS: no HPET", without: &[Hpet], ..BIOS },
    // UEFI.
    Case { name: "UEFI: AHCI", ..UEFI },
    Case { name: "UEFI: IDE", machine: "pc", ..UEFI },
    Case { name: "UEFI: NVMe", start: Uefi(Disk(DiskBus::Nvme)), ..UEFI },
    Case { name: "UEFI: virtio-blk", start: Uefi(Disk(DiskBus::VirtioBlk)), ..UEFI },
    Case { name: "UEFI: USB stick", start: Uefi(Stick), ..UEFI },
    Case { name: "UEFI: CD", start: Uefi(IsoCd), ..UEFI },
    Case { name: "UEFI: ISO as disk", start: Uefi(IsoDisk(DiskBus::Ata)), ..UEFI },
    Case { name: "UEFI: ISO as USB stick", start: Uefi(IsoStick), ..UEFI },
    Case { name: "UEFI: no VGA", without: &[Vga], ..UEFI },
    Case { name: "UEFI: no serial", without: &[Serial], ends: Unseen, ..UEFI },
    Case { name: "UEFI: no VGA, no serial", without: &[Vga, Serial], ends: Unseen, ..UEFI },
    Case { name: "UEFI: qemu64, 16 CPUs", cpu: "qemu64", cpus: 16, ..UEFI },
    Case { name: "UEFI: 4 GiB, 2 NUMA nodes", cpus: 4, shape: [2, 2, 1], nodes: 2, mib: 4 << 10, ..UEFI },
];

/// Without a root pointer there are no tables.
const NO_ACPI: Ending = Refused("acpi", "no RSDP");
/// An emulated microvm has no other clock. Under KVM it would have kvmclock.
const NO_CLOCK: Ending = Refused("no-clock", "no source states the frequency of the TSC");

/// QEMU requires this for more than 255 CPUs. The kernel does not use it.
const REMAPPING: &[&str] = &["-device", "intel-iommu,intremap=on,eim=on"];
/// The same, and one CPU at place 270 of 288.
const LONE: &[&str] = &[
    "-device",
    "intel-iommu,intremap=on,eim=on",
    "-device",
    "max-x86_64-cpu,socket-id=270,core-id=0,thread-id=0",
];
