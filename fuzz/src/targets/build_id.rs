//! The build ID among the notes of an ELF.

use harness::build_id::from_elf;

pub(crate) fn check(data: &[u8]) {
    let id = from_elf(data);
    assert_eq!(id, walked(data).unwrap_or(0));
    if id != 0 {
        assert!(data.windows(8).any(|bytes| bytes == id.to_be_bytes()), "bytes of the file");
        assert!(data.windows(4).any(|bytes| bytes == b"GNU\0"));
    }
}

/// The first GNU build ID in the first note segment that has one, by the offsets of the gABI.
fn walked(elf: &[u8]) -> Option<u64> {
    let at = usize::try_from(number(elf, 32, 8)?).ok()?;
    let count = usize::from(*elf.get(56)?);
    let headers = elf.get(at..)?;
    (0..count.min(headers.len() / 56)).map(|i| &headers[56 * i..56 * i + 56]).find_map(|header| {
        let start = usize::try_from(number(header, 8, 8)?).ok()?;
        let length = usize::try_from(number(header, 32, 8)?).ok()?;
        let notes = elf.get(start..start.checked_add(length)?)?;
        (number(header, 0, 4)? == 4).then(|| in_notes(notes)).flatten()
    })
}

fn in_notes(notes: &[u8]) -> Option<u64> {
    let mut at = 0;
    loop {
        let size = |offset| Some(usize::try_from(number(notes, at + offset, 4)?).ok()?.next_multiple_of(4));
        let (name, desc, kind) = (size(0)?, size(4)?, number(notes, at + 8, 4)?);
        let content = notes.get(at + 12..at + 12 + name + desc)?;
        if kind == 3 && content.starts_with(b"GNU\0") {
            return Some(u64::from_be_bytes(*content[name..].first_chunk()?));
        }
        at += 12 + name + desc;
    }
}

fn number(bytes: &[u8], at: usize, len: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(len)?)?;
    Some(bytes.iter().rev().fold(0, |number, &byte| number << 8 | u64::from(byte)))
}
