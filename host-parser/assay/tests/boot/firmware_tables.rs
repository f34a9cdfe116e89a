//! ACPI tables that replace firmware's in a guest's memory before its kernel runs (ACPI 6.5, section 5.2). They are
//! valid except for the one change of a row.

use std::io;

use crate::debugger::{Debugger, Register};

/// Address of the tables, the RSDP first: in the middle of the guest's memory, which is unused until the kernel has read
/// them.
const PLACE: u64 = 64 << 20;
/// Distances from there.
const RSDT: u64 = 0x1000;
const MADT: u64 = 0x2_0000;
const XSDT: u64 = 0x8_0000;
/// Address of [`Tables::elsewhere`]; zeros follow it.
pub const ELSEWHERE: u64 = PLACE + 0x80_0000;
/// The beginning of free memory, which the kernel uses first.
pub const BOTTOM: u64 = 1 << 20;

/// Offset of the RSDP's address in the start info (Xen, "x86/HVM direct boot ABI").
const RSDP_IN_START_INFO: u64 = 32;
/// Length of an RSDP of version 2.
const RSDP_BYTES: usize = 36;
const HEADER_BYTES: usize = 36;

/// The tables that the kernel finds from the RSDP on.
pub struct Tables {
    /// Where the tables are.
    place: u64,
    /// The RSDP's address in the start info.
    pub rsdp_at: u64,
    /// Root pointer, of version 2.
    pub rsdp: Vec<u8>,
    /// Where the root pointer is.
    pub rsdp_place: u64,
    /// The address of firmware's own root pointer, in the BIOS's memory.
    pub firmwares_rsdp: u64,
    /// Addresses of the tables that both roots list.
    pub listed: Vec<u64>,
    /// The root with 64-bit addresses; made from `listed` unless a change provides it.
    pub xsdt: Option<Vec<u8>>,
    /// The root with 32-bit addresses; likewise.
    pub rsdt: Option<Vec<u8>>,
    /// The table of processors.
    pub madt: Vec<u8>,
    /// Bytes that a change puts at [`ELSEWHERE`].
    pub elsewhere: Vec<u8>,
}

impl Tables {
    /// Good tables for a machine of `cpus` CPUs whose other tables are at `others`.
    fn good(cpus: u16, firmwares_rsdp: u64, others: Vec<u64>) -> Self {
        let entries: Vec<_> = (0..cpus).map(|id| local_apic(u8::try_from(id).unwrap(), ENABLED)).collect();
        Self {
            place: PLACE,
            rsdp_at: PLACE,
            rsdp: good_rsdp(PLACE),
            rsdp_place: PLACE,
            firmwares_rsdp,
            listed: others.into_iter().chain([PLACE + MADT]).collect(),
            xsdt: None,
            rsdt: None,
            madt: madt(&entries),
            elsewhere: Vec::new(),
        }
    }

    /// A valid root with the 64-bit addresses of `listed`.
    pub fn good_xsdt(&self) -> Vec<u8> {
        let entries: Vec<u8> = self.listed.iter().flat_map(|at| at.to_le_bytes()).collect();
        table(b"XSDT", &entries)
    }

    /// A valid root with the 32-bit addresses of `listed`.
    pub fn good_rsdt(&self) -> Vec<u8> {
        let entries: Vec<u8> = self.listed.iter().flat_map(|&at| low(at).to_le_bytes()).collect();
        table(b"RSDT", &entries)
    }

    /// Makes both roots, and applies `spoil` to each.
    pub fn spoil_roots(&mut self, spoil: impl Fn(&mut Vec<u8>)) {
        let (mut xsdt, mut rsdt) = (self.good_xsdt(), self.good_rsdt());
        spoil(&mut xsdt);
        spoil(&mut rsdt);
        (self.xsdt, self.rsdt) = (Some(xsdt), Some(rsdt));
    }

    /// Moves all good tables to `place`.
    pub fn move_to(&mut self, place: u64) {
        let madt = self.place + MADT;
        self.listed.iter_mut().filter(|at| **at == madt).for_each(|at| *at = place + MADT);
        (self.place, self.rsdp_at, self.rsdp_place) = (place, place, place);
        self.rsdp = good_rsdp(place);
    }

    /// Makes the MADT from these entries.
    pub fn processors(&mut self, entries: &[Vec<u8>]) {
        self.madt = madt(entries);
    }
}

/// Replaces firmware's tables by changed ones. The machine has `cpus` CPUs and is stopped at the kernel's entry.
pub fn replace(debugger: &mut Debugger, cpus: u16, change: fn(&mut Tables)) -> io::Result<()> {
    let start_info = debugger.register(Register::Rbx)?;
    let rsdp = long(&debugger.read(start_info + RSDP_IN_START_INFO, 8)?);
    let mut tables = Tables::good(cpus, rsdp, others(debugger, rsdp)?);
    change(&mut tables);
    let xsdt = tables.xsdt.take().unwrap_or_else(|| tables.good_xsdt());
    let rsdt = tables.rsdt.take().unwrap_or_else(|| tables.good_rsdt());
    for (at, content) in [
        (tables.rsdp_place, &tables.rsdp),
        (tables.place + XSDT, &xsdt),
        (tables.place + RSDT, &rsdt),
        (tables.place + MADT, &tables.madt),
        (ELSEWHERE, &tables.elsewhere),
    ] {
        debugger.write(at, content)?;
    }
    debugger.write(start_info + RSDP_IN_START_INFO, &tables.rsdp_at.to_le_bytes())
}

/// The addresses of firmware's tables, without its MADT. QEMU's RSDP is of version 0, so only an RSDT exists.
fn others(debugger: &mut Debugger, rsdp: u64) -> io::Result<Vec<u64>> {
    let at = |bytes: &[u8]| u64::from(u32::from_le_bytes(*bytes.first_chunk().expect("4 bytes")));
    let rsdt = at(&debugger.read(rsdp + 16, 4)?);
    let length = usize::try_from(at(&debugger.read(rsdt + 4, 4)?)).unwrap();
    let entries = debugger.read(rsdt + HEADER_BYTES as u64, length - HEADER_BYTES)?;
    let mut others = Vec::new();
    for entry in entries.chunks_exact(4) {
        if debugger.read(at(entry), 4)? != b"APIC" {
            others.push(at(entry));
        }
    }
    Ok(others)
}

/// Flag of a processor that is ready for use.
pub const ENABLED: u8 = 1;
/// Flag of a processor that could be brought online later.
pub const ONLINE_CAPABLE: u8 = 2;

/// A processor by its xAPIC id.
pub fn local_apic(id: u8, flags: u8) -> Vec<u8> {
    vec![0, 8, id, id, flags, 0, 0, 0]
}

/// A processor by its x2APIC id.
pub fn local_x2apic(id: u32, flags: u8) -> Vec<u8> {
    let mut entry = vec![9, 16, 0, 0];
    entry.extend(id.to_le_bytes());
    entry.extend([flags, 0, 0, 0]);
    entry.extend(id.to_le_bytes());
    entry
}

fn madt(entries: &[Vec<u8>]) -> Vec<u8> {
    let registers = 0xfee0_0000_u32.to_le_bytes();
    let body = [&registers[..], &1_u32.to_le_bytes(), &entries.concat()].concat();
    table(b"APIC", &body)
}

/// A root pointer to the roots of the tables at `place`.
fn good_rsdp(place: u64) -> Vec<u8> {
    let mut rsdp = b"RSD PTR \0ASSAY \x02".to_vec();
    rsdp.extend(low(place + RSDT).to_le_bytes());
    rsdp.extend(36_u32.to_le_bytes());
    rsdp.extend((place + XSDT).to_le_bytes());
    rsdp.resize(RSDP_BYTES, 0);
    seal_rsdp(&mut rsdp);
    rsdp
}

/// A table with a good header.
pub fn table(signature: &[u8; 4], body: &[u8]) -> Vec<u8> {
    let mut table = signature.to_vec();
    table.resize(HEADER_BYTES, 0);
    table.extend(body);
    let length = u32::try_from(table.len()).unwrap();
    set_length(&mut table, length);
    table
}

/// Sets the length field of a table, and the checksum so that its actual bytes sum to zero.
pub fn set_length(table: &mut [u8], length: u32) {
    table[4..8].copy_from_slice(&length.to_le_bytes());
    seal(table, 9);
}

/// Corrects both checksums of the RSDP.
pub fn seal_rsdp(rsdp: &mut [u8]) {
    seal(&mut rsdp[..20], 8);
    seal(rsdp, 32);
}

fn seal(bytes: &mut [u8], at: usize) {
    bytes[at] = 0;
    bytes[at] = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
}

fn long(bytes: &[u8]) -> u64 {
    u64::from_le_bytes(*bytes.first_chunk().expect("8 bytes"))
}

fn low(at: u64) -> u32 {
    u32::try_from(at).expect("tables are below 4 GiB")
}
