//! The types that describe a row of the matrix.

use qemu::DiskBus;

use crate::firmware_tables::Tables;

/// One machine, its boot medium, and how the boot must end.
pub struct Case {
    /// A unique name.
    pub name: &'static str,
    /// QEMU's machine type, with its options: `microvm,pit=off`.
    pub machine: &'static str,
    /// How the kernel is started.
    pub start: Start,
    /// QEMU's CPU model, with features: `qemu64,-nx`.
    pub cpu: &'static str,
    /// Number of CPUs.
    pub cpus: u16,
    /// Sockets, cores in a socket, threads in a core; zeros mean one socket of `cpus` cores.
    pub shape: [u32; 3],
    /// NUMA nodes; with 0 the machine reports none.
    pub nodes: u32,
    /// Memory in MiB.
    pub mib: u32,
    /// Parts that the machine lacks.
    pub without: &'static [Part],
    /// Further arguments of QEMU; `JUNK` stands for the path of a file of 300 junk bytes.
    pub extra: &'static [&'static str],
    /// A change to firmware's tables, before the kernel's first instruction. For direct boot only.
    pub tables: Option<fn(&mut Tables)>,
    /// What the row needs from QEMU.
    pub needs: Needs,
    /// How the boot must end.
    pub ends: Ending,
    /// Text that the log must have, with `%20` decoded to spaces.
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
    /// This firmware's disk image, as a disk.
    Disk(DiskBus),
    /// This firmware's disk image, as a USB stick.
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

/// What a row needs from QEMU.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Needs {
    /// Nothing that the oldest supported QEMU lacks.
    Nothing,
    /// x2APIC under TCG.
    X2apic,
}

/// How a boot must end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Ending {
    /// The gate passes the run, with all of the machine's CPUs online.
    Passes,
    /// The gate passes the run, with this many CPUs online.
    PassesWith(u16),
    /// The kernel exits with success; without a serial port there is no log.
    Unseen,
    /// The kernel refuses the machine with this code, and a detail that contains this text.
    Refused(&'static str, &'static str),
    /// The CPUs with these APIC ids do not start. The kernel names them and runs on, and the gate reports
    /// `cpu-missing`.
    Misses(&'static [u32]),
}

impl Case {
    /// How many CPUs must be online.
    pub fn online(&self) -> u16 {
        match self.ends {
            Ending::PassesWith(online) => online,
            _ => self.cpus,
        }
    }

    /// How many workers run: two if there are two CPUs.
    pub fn workers(&self) -> u16 {
        self.online().min(2)
    }
}
