//! What a row of the matrix can say.

use qemu::DiskBus;

use crate::firmware_tables::Tables;

/// One machine, what it boots, and how that must end.
pub struct Case {
    /// Unlike any other's.
    pub name: &'static str,
    /// QEMU's machine type, with switches of its own: `microvm,pit=off`.
    pub machine: &'static str,
    /// How the kernel is started.
    pub start: Start,
    /// QEMU's CPU model, with features: `qemu64,-nx`.
    pub cpu: &'static str,
    /// How many CPUs it has.
    pub cpus: u16,
    /// Sockets, cores in each, threads in each of those; zeros are one socket of as many cores.
    pub shape: [u32; 3],
    /// NUMA nodes; 0 is a machine that does not speak of any.
    pub nodes: u32,
    /// Memory in MiB.
    pub mib: u32,
    /// What is left out.
    pub without: &'static [Part],
    /// Further arguments of QEMU; `JUNK` stands for the path of a file of 300 bytes without sense.
    pub extra: &'static [&'static str],
    /// Changes firmware's tables before the kernel's first instruction; for direct boot.
    pub tables: Option<fn(&mut Tables)>,
    /// What it takes of QEMU.
    pub needs: Needs,
    /// How it must end.
    pub ends: Ending,
    /// What must stand in the log, with spaces as spaces.
    pub says: &'static [&'static str],
}

/// How the kernel is started.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Start {
    /// By QEMU itself.
    Direct,
    /// By QEMU's BIOS.
    Bios(Medium),
    /// By OVMF.
    Uefi(Medium),
}

/// What firmware boots.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Medium {
    /// The disk image of its own.
    Disk(DiskBus),
    /// The same as a USB stick.
    Stick,
    /// The ISO as a CD.
    IsoCd,
    /// The ISO as a disk.
    IsoDisk(DiskBus),
    /// The ISO as a USB stick.
    IsoStick,
}

/// A part of a machine that can be left out.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Part {
    /// The serial port.
    Serial,
    /// The display adapter.
    Vga,
    /// The HPET.
    Hpet,
}

/// What a row takes of QEMU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// Nothing that the oldest supported one lacks.
    Nothing,
    /// x2APIC under TCG.
    X2apic,
}

/// How a boot must end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The gate passes it, with as many CPUs online as the machine has.
    Passes,
    /// The gate passes it, with so many.
    PassesWith(u16),
    /// The kernel says that all is well, on a machine that can say no more.
    Unseen,
    /// The kernel refuses the machine, by this code, with a detail that has these words.
    Refused(&'static str, &'static str),
    /// It runs on without the CPUs that have these APIC ids, names them, and the gate says `cpu-missing`.
    Misses(&'static [u32]),
}

impl Case {
    /// How many CPUs it has to have online.
    pub fn online(&self) -> u16 {
        match self.ends {
            Ending::PassesWith(online) => online,
            _ => self.cpus,
        }
    }

    /// How many workers it runs: two where it can.
    pub fn workers(&self) -> u16 {
        self.online().min(2)
    }
}
