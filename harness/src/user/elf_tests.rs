//! ELF files made by hand, each wrong in one way.

use alloc::vec;
use alloc::vec::Vec;

use proptest::prelude::*;

use super::*;

const LIMIT: u64 = 0x10_0000;

struct Header {
    kind: u32,
    flags: u32,
    offset: u64,
    at: u64,
    file_size: u64,
    size: u64,
}

/// An ELF with these program headers and 0x3000 bytes in all.
fn elf(headers: &[Header]) -> Vec<u8> {
    let mut file = vec![0; 0x3000];
    let mut put = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    put(0, b"\x7fELF\x02\x01\x01");
    put(16, &ET_DYN.to_le_bytes());
    put(18, &EM_X86_64.to_le_bytes());
    put(24, &0x1000_u64.to_le_bytes());
    put(32, &64_u64.to_le_bytes());
    put(54, &56_u16.to_le_bytes());
    put(56, &u16::try_from(headers.len()).unwrap().to_le_bytes());
    for (i, h) in headers.iter().enumerate() {
        let at = 64 + 56 * i;
        put(at, &h.kind.to_le_bytes());
        put(at + 4, &h.flags.to_le_bytes());
        for (field, value) in [(8, h.offset), (16, h.at), (32, h.file_size), (40, h.size)] {
            put(at + field, &value.to_le_bytes());
        }
    }
    file
}

/// A worker that is accepted, with its entry point at 0x1000.
pub fn worker_elf() -> Vec<u8> {
    elf(&[load(PF_X, 0x1000, 0x100)])
}

fn load(flags: u32, at: u64, size: u64) -> Header {
    Header { kind: PT_LOAD, flags, offset: 0x1000, at, file_size: 0x100, size }
}

fn parse(headers: &[Header]) -> Result<(), ElfError> {
    ElfImage::parse(&elf(headers), LIMIT).map(|_| ())
}

#[test]
fn accepts_code_and_data_in_any_order() {
    let file = elf(&[load(PF_W, 0x2000, 0x1800), load(PF_X, 0x1000, 0x100)]);
    let image = ElfImage::parse(&file, LIMIT).unwrap();
    assert_eq!(image.entry, 0x1000);
    assert_eq!(
        image.segments.iter().map(|s| (s.at, s.executable)).collect::<Vec<_>>(),
        [(0x1000, true), (0x2000, false)]
    );
    assert_eq!(image.segments[1].data.len(), 0x100);
}

#[test]
fn rejects_each_defect_by_name() {
    let code = || load(PF_X, 0x1000, 0x100);
    let cases = [
        (vec![], ElfError::BadSegment),
        (vec![load(PF_X | PF_W, 0x1000, 0x100)], ElfError::WritableCode),
        (vec![load(PF_W, 0x1000, 0x100)], ElfError::BadEntry),
        (vec![code(), load(PF_W, 0x1800, 0x100)], ElfError::BadSegment),
        (vec![code(), load(PF_W, 0x2000, 0x80)], ElfError::BadSegment),
        (vec![code(), load(PF_W, 0x2000, LIMIT)], ElfError::BadSegment),
        (vec![code(), load(PF_W, u64::MAX - 0x80, 0x100)], ElfError::BadSegment),
        (vec![code(), Header { offset: 0x2fff, ..load(PF_W, 0x2000, 0x100) }], ElfError::Truncated),
        (vec![code(), Header { kind: PT_INTERP, ..code() }], ElfError::Interpreter),
    ];
    for (i, (headers, error)) in cases.iter().enumerate() {
        assert_eq!(parse(headers), Err(*error), "case {i}");
    }
    let mut fixed_address = elf(&[code()]);
    fixed_address[16] = 2;
    assert_eq!(ElfImage::parse(&fixed_address, LIMIT).err(), Some(ElfError::NotDyn));
    assert_eq!(ElfImage::parse(b"\x7fELF\x01\x01\x01", LIMIT).err(), Some(ElfError::NotElf64));
}

/// Code at 0x1000, data at 0x2000 with a dynamic section at its start and one relocation at 0x80.
fn with_relocation(kind: u64, at: u64) -> Vec<u8> {
    let data = || Header { offset: 0x2000, file_size: 0x200, ..load(PF_W, 0x2000, 0x200) };
    let mut file = elf(&[load(PF_X, 0x1000, 0x100), data(), Header { kind: PT_DYNAMIC, ..data() }]);
    for (i, word) in [DT_RELA, 0x2080, DT_RELASZ, 24, 0, 0].into_iter().enumerate() {
        file[0x2000 + 8 * i..][..8].copy_from_slice(&u64::to_le_bytes(word));
    }
    for (i, word) in [at, kind, 0x1010].into_iter().enumerate() {
        file[0x2080 + 8 * i..][..8].copy_from_slice(&u64::to_le_bytes(word));
    }
    file
}

#[test]
fn accepts_relative_relocations_in_writable_segments_only() {
    let file = with_relocation(R_X86_64_RELATIVE, 0x2100);
    let image = ElfImage::parse(&file, LIMIT).unwrap();
    assert!(image.relocations.iter().eq([Relocation { at: 0x2100, addend: 0x1010 }]));
    for (kind, at) in [
        (6, 0x2100),
        (R_X86_64_RELATIVE, 0x1000),
        (R_X86_64_RELATIVE, 0x21fc),
        (R_X86_64_RELATIVE, u64::MAX - 7),
    ] {
        let file = with_relocation(kind, at);
        assert_eq!(ElfImage::parse(&file, LIMIT).err(), Some(ElfError::BadRelocation), "{kind} {at:#x}");
    }
}

#[test]
fn rejects_relocations_that_lead_outside_the_room_for_images() {
    for (addend, good) in [(LIMIT, true), (LIMIT + 1, false), (u64::MAX, false)] {
        let mut file = with_relocation(R_X86_64_RELATIVE, 0x2100);
        file[0x2090..0x2098].copy_from_slice(&addend.to_le_bytes());
        let expected = if good { None } else { Some(ElfError::BadRelocation) };
        assert_eq!(ElfImage::parse(&file, LIMIT).err(), expected, "{addend:#x}");
    }
}

#[test]
fn rejects_more_than_the_heap_should_hold() {
    let segments = |count| parse(&(1..=count).map(|i| load(PF_X, 0x1000 * i, 0x100)).collect::<Vec<_>>());
    assert_eq!(segments(MAX_SEGMENTS as u64), Ok(()));
    assert_eq!(segments(MAX_SEGMENTS as u64 + 1), Err(ElfError::BadSegment));
}

#[test]
fn accepts_as_many_relocations_as_a_large_program_has() {
    let count = 50_000;
    let mut file = with_relocation(R_X86_64_RELATIVE, 0x2100);
    let entry = file[0x2080..0x2080 + RELA_BYTES].to_vec();
    file.truncate(0x2080);
    file.extend(entry.repeat(count));
    let size = u64::try_from(0x80 + RELA_BYTES * count).unwrap();
    file[0x2018..0x2020].copy_from_slice(&(size - 0x80).to_le_bytes());
    for at in [64 + 56 + 32, 64 + 56 + 40] {
        file[at..at + 8].copy_from_slice(&size.to_le_bytes());
    }
    // The image must have room for the table itself.
    let image = ElfImage::parse(&file, 0x100_0000).unwrap();
    assert_eq!(image.relocations.iter().count(), count);
}

#[test]
fn rejects_what_would_have_to_run_or_be_set_up_before_the_entry_point() {
    let tls = Header { kind: PT_TLS, ..load(PF_W, 0x2000, 0x100) };
    assert_eq!(parse(&[load(PF_X, 0x1000, 0x100), tls]), Err(ElfError::ThreadLocal));
    for tag in [DT_INIT, DT_INIT_ARRAY, DT_PREINIT_ARRAY] {
        let mut file = with_relocation(R_X86_64_RELATIVE, 0x2100);
        file[0x2020..0x2028].copy_from_slice(&tag.to_le_bytes());
        file[0x2030..0x2038].copy_from_slice(&0_u64.to_le_bytes());
        assert_eq!(ElfImage::parse(&file, LIMIT).err(), Some(ElfError::Constructors), "{tag}");
    }
}

#[test]
fn rejects_half_a_relocation() {
    let mut file = with_relocation(R_X86_64_RELATIVE, 0x2100);
    file[0x2018] = 25;
    assert_eq!(ElfImage::parse(&file, LIMIT).err(), Some(ElfError::BadRelocation));
}

proptest! {
    #[test]
    fn never_panics_on_a_damaged_file(at in 0_usize..0x2100, byte: u8, cut in 0_usize..0x3000) {
        let mut file = with_relocation(R_X86_64_RELATIVE, 0x2100);
        file[at] = byte;
        if let Ok(image) = ElfImage::parse(&file, LIMIT) {
            prop_assert!(image.segments.iter().all(|s| s.at + s.size <= LIMIT && !(s.writable && s.executable)));
        }
        let _ = ElfImage::parse(&file[..cut], LIMIT);
    }
}
