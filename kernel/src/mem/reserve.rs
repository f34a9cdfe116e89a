//! Firmware's tables in memory that the memory map calls free. Some VMMs put them there, where the heap and page tables
//! would overwrite them before they are read.

use core::ops::Range;

use super::memory_map::{MemoryMap, Region};
use crate::firmware::Memory;
use crate::firmware::acpi::{RootPointer, Tables};
use crate::firmware::smbios::Smbios;

/// Takes the places of the RSDP at `rsdp`, of the ACPI tables that it leads to, and of the SMBIOS tables, out of `map`.
pub fn firmware_tables(map: &mut MemoryMap, memory: &dyn Memory, rsdp: Option<u64>) {
    let mut reserve = |Range { start, end }| map.reserve(Region { start, end });
    if let Some(at) = rsdp {
        reserve(at..at.saturating_add(RootPointer::BYTES));
    }
    if let Ok(tables) = Tables::find(memory, rsdp) {
        tables.places(&mut reserve);
    }
    if let Some(place) = Smbios::place(memory) {
        reserve(place);
    }
}
