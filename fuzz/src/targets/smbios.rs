//! The BIOS's part of memory, with an entry point in it. The first byte says where the entry point is and whether its
//! checksums are corrected. The entry point follows, then the tables.

mod walk;

use std::ops::Range;

use kernel::firmware::Memory;
use kernel::firmware::smbios::Smbios;

use crate::input::Input;

const AREA: u64 = 0xf_0000;
const AREA_BYTES: usize = 0x1_0000;
const ENTRY_BYTES: usize = 32;
/// The searched part of the area: a search through all of it would mostly read zeros.
const SEARCHED: Range<u64> = AREA..AREA + 0x1000;

pub(crate) fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let mut memory = Area(vec![0; AREA_BYTES]);
    let at = usize::from(how & 0xfe) * 16;
    let entry = input.take(ENTRY_BYTES);
    memory.0[at..at + entry.len()].copy_from_slice(entry);
    let tables = input.rest();
    let length = tables.len().min(AREA_BYTES / 2);
    memory.0[AREA_BYTES / 2..AREA_BYTES / 2 + length].copy_from_slice(&tables[..length]);
    if how & 1 == 0 {
        seal(&mut memory.0[at..at + ENTRY_BYTES]);
    }
    let smbios = Smbios::find_in(&memory, SEARCHED);
    let found: Vec<_> = smbios.strings().map(|(field, text)| (field, text.to_string())).collect();
    let (state, expected) = walk::walked(&memory.0, at);
    assert_eq!(smbios.state, state);
    assert_eq!(found.len(), expected.len(), "{found:?}, due are {expected:?}");
    for ((field, text), (due, whole)) in found.into_iter().zip(expected) {
        assert!(!text.trim().is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~')));
        // A string that is too long for its record is truncated.
        let cut = whole.len() > 96 / 3 && whole.starts_with(&text);
        assert!(field == due && (text == whole || cut), "{text:?} is due to be {whole:?}");
    }
}

/// Corrects the checksums of the entry point, over the length in its own header.
fn seal(entry: &mut [u8]) {
    if entry.starts_with(b"_SM3_") {
        seal_part(entry, 0, usize::from(entry[6]), 5);
    } else {
        seal_part(entry, 0x10, 15, 5);
        seal_part(entry, 0, usize::from(entry[5]), 4);
    }
}

fn seal_part(entry: &mut [u8], from: usize, length: usize, at: usize) {
    let Some(part) = entry.get_mut(from..from + length).filter(|part| part.len() > at) else { return };
    part[at] = 0;
    part[at] = part.iter().fold(0_u8, |sum, &byte| sum.wrapping_sub(byte));
}

/// Memory that holds this and nothing else.
struct Area(Vec<u8>);

impl Memory for Area {
    fn bytes(&self, at: u64, len: usize) -> Option<&[u8]> {
        let at = usize::try_from(at.checked_sub(AREA)?).ok()?;
        self.0.get(at..at.checked_add(len)?)
    }
}
