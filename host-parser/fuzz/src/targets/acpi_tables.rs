//! Memory with an RSDP in it. The first byte says which checksums are put right, the second where the RSDP is.

use std::cell::Cell;

use acpi::sdt::Signature;
use kernel::acpi::tables::{Memory, TableError, Tables};

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
    let tables = match Tables::find(&memory, Some(at as u64)) {
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
        if let Ok(table) = tables.table(signature) {
            is_whole(&memory.bytes, table, signature);
        }
        // Twice for each entry, of which each takes at least 4 bytes: nothing is followed in circles.
        assert!(memory.asked.get() <= 2 * (memory.bytes.len() / 4), "the walk is bounded");
    }
    let named = input.long();
    if let Ok(table) = tables.table_at(named, Signature::DSDT) {
        is_whole(&memory.bytes, table, Signature::DSDT);
        assert_eq!(place(&memory.bytes, table), usize::try_from(named).ok());
    }
}

fn is_whole(memory: &[u8], table: &[u8], signature: Signature) {
    assert!(place(memory, table).is_some() && table.len() >= HEADER_BYTES);
    assert_eq!(&table[..4], signature.as_str().as_bytes());
    assert_eq!(long(table, 4), Some(table.len()));
    assert_eq!(table.iter().fold(0_u8, |sum, &byte| sum.wrapping_add(byte)), 0);
}

/// Memory from address 0 on, which counts how often it is asked.
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

/// Puts right the checksums of RSDP, XSDT and RSDT, and of the tables that these list. One may undo another.
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
