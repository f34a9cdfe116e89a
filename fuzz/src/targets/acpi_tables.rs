//! Memory with an RSDP in it. The first byte says whether checksums are corrected, the second where the RSDP is. The
//! kernel finds the tables that a plain walk finds, and no others.

use std::cell::Cell;

use acpi::sdt::Signature;
use kernel::firmware::Memory;
use kernel::firmware::acpi::tables::{TableError, Tables};

use crate::input::{Input, place};

const RSDP_BYTES: usize = 36;
const HEADER_BYTES: usize = 36;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (how, at) = (input.byte(), usize::from(input.byte()));
    let mut memory = Image { bytes: input.rest().to_vec(), asked: Cell::new(0) };
    if how.is_multiple_of(2) {
        fix(&mut memory.bytes, at);
    }
    let root = root(&memory.bytes, at);
    let found = Tables::find(&memory, Some(at as u64));
    assert_eq!(found.is_ok(), root.is_some());
    let tables = match found {
        Ok(tables) => tables,
        Err(error) => {
            assert!(
                matches!(error, TableError::BadRsdp | TableError::BadRoot) && !error.message().is_empty()
            );
            return;
        }
    };
    for signature in [Signature::MADT, Signature::FADT, Signature::HPET, Signature::DSDT] {
        memory.asked.set(0);
        let found = tables.table(signature);
        let listed = root.iter().flatten().take(256);
        let due = listed.filter_map(|&at| whole(&memory.bytes, at, signature.as_str())).next();
        assert_eq!(
            found.ok().map(|it| (place(&memory.bytes, it), it)),
            due.map(|it| (place(&memory.bytes, it), it))
        );
        if let Ok(table) = found {
            is_whole(&memory.bytes, table, signature);
        }
        // Two reads for each entry of at least 4 bytes: the walk follows no circle.
        assert!(memory.asked.get() <= 2 * (memory.bytes.len() / 4), "the walk is bounded");
    }
    let named = input.long();
    if let Ok(table) = tables.table_at(named, Signature::DSDT) {
        is_whole(&memory.bytes, table, Signature::DSDT);
        assert_eq!(place(&memory.bytes, table), usize::try_from(named).ok());
    }
}

/// The tables' addresses in the root table that the RSDP at `at` names (ACPI 6.5, section 5.2.5.3).
fn root(memory: &[u8], at: usize) -> Option<Vec<u64>> {
    let rsdp = memory.get(at..at + 20).filter(|rsdp| rsdp.starts_with(b"RSD PTR ") && sum(rsdp) == 0)?;
    let by_rsdt = || whole(memory, long(rsdp, 16)? as u64, "RSDT").map(|it| (it, 4));
    let (root, length) = xsdt(memory, at).map(|it| (it, 8)).or_else(by_rsdt)?;
    let entries = root[36..].chunks_exact(length);
    Some(entries.map(|entry| entry.iter().rev().fold(0, |at, &byte| at << 8 | u64::from(byte))).collect())
}

/// The XSDT that the RSDP at `at` names, if its revision has one.
fn xsdt(memory: &[u8], at: usize) -> Option<&[u8]> {
    let rsdp = memory.get(at..at + 36).filter(|rsdp| rsdp[15] >= 2 && sum(rsdp) == 0)?;
    whole(memory, u64::from_le_bytes(*rsdp[24..].first_chunk()?), "XSDT")
}

fn sum(bytes: &[u8]) -> u8 {
    bytes.iter().fold(0, |sum, &byte| sum.wrapping_add(byte))
}

/// The table at `at`, if it is there, whole and of this name.
fn whole<'a>(memory: &'a [u8], at: u64, name: &str) -> Option<&'a [u8]> {
    let table = memory.get(usize::try_from(at).ok()?..)?;
    let length = long(table, 4).filter(|&length| (36..=4 << 20).contains(&length))?;
    table.get(..length).filter(|table| table.starts_with(name.as_bytes()) && sum(table) == 0)
}

fn is_whole(memory: &[u8], table: &[u8], signature: Signature) {
    assert!(place(memory, table).is_some() && table.len() >= HEADER_BYTES);
    assert_eq!(&table[..4], signature.as_str().as_bytes());
    assert_eq!(long(table, 4), Some(table.len()));
    assert_eq!(sum(table), 0);
}

/// Memory from address 0 on, which counts its reads.
struct Image {
    bytes: Vec<u8>,
    asked: Cell<usize>,
}

impl Memory for Image {
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
        self.asked.set(self.asked.get() + 1);
        let at = usize::try_from(at).ok()?;
        self.bytes.get(at..at.checked_add(len)?)
    }
}

/// Corrects the checksums of RSDP, XSDT and RSDT, and of the tables that these list. One correction may undo another.
fn fix(memory: &mut [u8], at: usize) {
    if memory.len() < at + RSDP_BYTES {
        return;
    }
    memory[at..at + 8].copy_from_slice(b"RSD PTR ");
    let roots = [(long(memory, at + 16), 4, b"RSDT"), (long(memory, at + 24), 8, b"XSDT")];
    for (root, entry_bytes, name) in roots {
        let Some(root) = root.filter(|&root| memory.get(root..root + 4) == Some(name)) else { continue };
        let length = long(memory, root + 4).unwrap_or(0).min(memory.len());
        for entry in (root + HEADER_BYTES..root + length).step_by(entry_bytes).take(16) {
            let table = long(memory, entry).unwrap_or(usize::MAX);
            fix_sum(memory, table, long(memory, table.saturating_add(4)).unwrap_or(0), 9);
        }
        fix_sum(memory, root, length, 9);
    }
    fix_sum(memory, at, 20, 8);
    fix_sum(memory, at, RSDP_BYTES, 32);
}

/// Makes `length` bytes at `at` sum to zero by the one at `offset` in them.
fn fix_sum(memory: &mut [u8], at: usize, length: usize, offset: usize) {
    let Some(bytes) = at.checked_add(length).and_then(|end| memory.get_mut(at..end)) else { return };
    if offset < bytes.len() {
        bytes[offset] = 0;
        bytes[offset] = bytes.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
    }
}

/// The 32-bit number at `at`.
fn long(bytes: &[u8], at: usize) -> Option<usize> {
    let word = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
    usize::try_from(word).ok()
}
