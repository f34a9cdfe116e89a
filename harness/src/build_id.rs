//! A GNU build ID: the linker's hash over an ELF, which `readelf -n` shows too. The kernel reads its own from its image,
//! the twin Linux's from `/sys/kernel/notes`.

use crate::le::{u32_at, u64_at};

/// The name and type of the note (the ELF gABI's notes; `NT_GNU_BUILD_ID` of glibc's elf.h).
const NAME: &[u8] = b"GNU\0";
const NT_GNU_BUILD_ID: u32 = 3;

/// The first 8 bytes of the build ID, as a number that prints like it, from the beginning of a 64-bit ELF; 0 if it has
/// none.
#[must_use]
pub fn from_elf(elf: &[u8]) -> u64 {
    const PT_NOTE: u32 = 4;
    const PROGRAM_HEADER_BYTES: usize = 56;
    let Some(headers) = elf.get(index(elf, 32)..) else { return 0 };
    let count = elf.get(56).map_or(0, |&count| usize::from(count));
    let notes =
        headers.chunks_exact(PROGRAM_HEADER_BYTES).take(count).filter(|h| u32_at(h, 0) == Some(PT_NOTE));
    let mut ids = notes.filter_map(|header| {
        let start = index(header, 8);
        elf.get(start..start.checked_add(index(header, 32))?).and_then(from_notes)
    });
    ids.next().unwrap_or(0)
}

/// The 64-bit offset or length at `at`, as an index; past every end if there is none.
fn index(bytes: &[u8], at: usize) -> usize {
    u64_at(bytes, at).and_then(|value| usize::try_from(value).ok()).unwrap_or(usize::MAX)
}

/// The first 8 bytes of the build ID among the notes of a segment; `None` if there is none.
#[must_use]
pub fn from_notes(mut notes: &[u8]) -> Option<u64> {
    loop {
        let (name_bytes, desc_bytes) = (padded(notes, 0)?, padded(notes, 4)?);
        let kind = u32_at(notes, 8)?;
        let (note, rest) =
            notes.split_at_checked(12_usize.checked_add(name_bytes)?.checked_add(desc_bytes)?)?;
        if kind == NT_GNU_BUILD_ID && note[12..].starts_with(NAME) {
            return note[12 + name_bytes..].first_chunk().map(|id| u64::from_be_bytes(*id));
        }
        notes = rest;
    }
}

/// The length at `at`, rounded up to the notes' alignment.
fn padded(notes: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(notes, at)?).ok()?.checked_next_multiple_of(4)
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn note(kind: u32, name: &[u8], desc: &[u8]) -> Vec<u8> {
        let words = [u32::try_from(name.len()).unwrap(), u32::try_from(desc.len()).unwrap(), kind];
        let mut bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        bytes.extend(name);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes.extend(desc);
        bytes
    }

    fn elf(notes: &[u8]) -> Vec<u8> {
        let mut elf = vec![0; 64 + 56];
        elf[32..40].copy_from_slice(&64_u64.to_le_bytes());
        elf[56] = 1;
        elf[64] = 4;
        elf[72..80].copy_from_slice(&120_u64.to_le_bytes());
        elf[96..104].copy_from_slice(&(notes.len() as u64).to_le_bytes());
        elf.extend(notes);
        elf
    }

    #[test]
    fn finds_the_build_id_after_another_note() {
        let id = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20];
        let notes = [note(5, b"GNU\0", &[0; 16]), note(NT_GNU_BUILD_ID, NAME, &id)].concat();
        assert_eq!(from_elf(&elf(&notes)), 0x0102_0304_0506_0708);
    }

    #[test]
    fn gives_zero_for_anything_else() {
        assert_eq!(from_elf(&elf(&note(NT_GNU_BUILD_ID, b"Go\0\0", &[1; 8]))), 0);
        assert_eq!(from_elf(&elf(&[0xff; 12])), 0);
        assert_eq!(from_elf(&elf(&[])[..100]), 0);
        assert_eq!(from_elf(&[]), 0);
        assert_eq!(from_elf(&[0xff; 128]), 0);
    }
}
