//! Reads a worker's ELF as untrusted bytes (System V gABI, chapter 4; AMD64 psABI).
//!
//! Accepted: 64-bit little-endian `ET_DYN` for x86-64 with loadable segments that share no page, none both writable and
//! executable, and relocations of the one type that needs no symbols.

use alloc::vec::Vec;

use crate::le::{u16_at, u32_at, u64_at};

/// Why a file is refused as a worker.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ElfError {
    /// Not a 64-bit little-endian ELF for x86-64.
    NotElf64,
    /// Not position-independent.
    NotDyn,
    /// A header or a segment's data lies outside the file.
    Truncated,
    /// A segment lies outside the room for images, shares a page with another, or is smaller than its data.
    BadSegment,
    /// A segment is both writable and executable.
    WritableCode,
    /// The entry point is not in an executable segment.
    BadEntry,
    /// It asks for an interpreter.
    Interpreter,
    /// A relocation is of a type other than `R_X86_64_RELATIVE`, lies outside the writable segments, or leads outside the
    /// room for images.
    BadRelocation,
    /// It has thread-local storage (PT_TLS), which nothing sets up.
    ThreadLocal,
    /// It has functions that are to run before the entry point (DT_INIT, DT_INIT_ARRAY), which nothing calls.
    Constructors,
}

impl ElfError {
    /// A short text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::NotElf64 => "not an x86-64 ELF",
            Self::NotDyn => "not position-independent",
            Self::Truncated => "a header or segment lies outside of the file",
            Self::BadSegment => "a segment cannot be placed",
            Self::WritableCode => "a segment is writable and executable",
            Self::BadEntry => "entry point is not in code",
            Self::Interpreter => "asks for an interpreter",
            Self::BadRelocation => "has relocations that cannot be made",
            Self::ThreadLocal => "has thread-local storage",
            Self::Constructors => "has constructors (.init_array)",
        }
    }
}

/// A loadable segment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Segment<'a> {
    /// Its address, relative to the image.
    pub at: u64,
    /// Its bytes in memory. Bytes past `data` are zero.
    pub size: u64,
    /// Its bytes in the file.
    pub data: &'a [u8],
    /// Ring 3 may write it.
    pub writable: bool,
    /// Ring 3 may execute it.
    pub executable: bool,
}

/// A word that holds an address in the image: `*(image + at) = image + addend`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Relocation {
    /// The word's address, relative to the image.
    pub at: u64,
    /// The address that it holds, relative to the image.
    pub addend: u64,
}

/// A worker's ELF, checked.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ElfImage<'a> {
    /// Its entry point, relative to the image.
    pub entry: u64,
    /// Its segments, in the order of their addresses.
    pub segments: Vec<Segment<'a>>,
    /// Its relocations.
    pub relocations: Relocations<'a>,
}

/// The relocations of an image, read from the file each time. Each was checked.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Relocations<'a> {
    table: &'a [u8],
}

impl Relocations<'_> {
    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = Relocation> {
        self.table.chunks_exact(RELA_BYTES).filter_map(|entry| {
            let (at, addend) = (u64_at(entry, 0)?, u64_at(entry, 16)?);
            Some(Relocation { at, addend })
        })
    }
}

const PAGE: u64 = 4096;
const ET_DYN: u16 = 3;
const EM_X86_64: u16 = 62;
const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_TLS: u32 = 7;
const PF_X: u32 = 1;
const PF_W: u32 = 2;
const DT_RELA: u64 = 7;
const DT_RELASZ: u64 = 8;
const DT_INIT: u64 = 12;
const DT_REL: u64 = 17;
const DT_JMPREL: u64 = 23;
const DT_INIT_ARRAY: u64 = 25;
const DT_PREINIT_ARRAY: u64 = 32;
const DT_RELR: u64 = 36;
const R_X86_64_RELATIVE: u64 = 8;
const PROGRAM_HEADER_BYTES: usize = 56;
const DYNAMIC_BYTES: usize = 16;
const RELA_BYTES: usize = 24;
/// More segments than any linker makes for a worker. The list is kept on the kernel's heap, which is small.
const MAX_SEGMENTS: usize = 16;

impl<'a> ElfImage<'a> {
    /// Reads `file`; the image may be up to `limit` bytes long.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn parse(file: &'a [u8], limit: u64) -> Result<Self, ElfError> {
        // EI_MAG, EI_CLASS 64, EI_DATA little-endian, EI_VERSION 1.
        if !file.starts_with(b"\x7fELF\x02\x01\x01") || u16_at(file, 18) != Some(EM_X86_64) {
            return Err(ElfError::NotElf64);
        }
        if u16_at(file, 16) != Some(ET_DYN) {
            return Err(ElfError::NotDyn);
        }
        let entry = u64_at(file, 24).ok_or(ElfError::Truncated)?;
        let headers = program_headers(file)?;
        let mut segments = Vec::new();
        let mut dynamic: &[u8] = &[];
        for header in headers.chunks_exact(PROGRAM_HEADER_BYTES) {
            match u32_at(header, 0) {
                Some(PT_LOAD) if segments.len() == MAX_SEGMENTS => return Err(ElfError::BadSegment),
                Some(PT_LOAD) => {
                    let segment = segment(file, header, limit)?;
                    segments
                        .insert(segments.partition_point(|one: &Segment<'_>| one.at <= segment.at), segment);
                }
                Some(PT_DYNAMIC) => dynamic = file_range(file, header)?,
                Some(PT_INTERP) => return Err(ElfError::Interpreter),
                Some(PT_TLS) => return Err(ElfError::ThreadLocal),
                _ => {}
            }
        }
        if segments.is_empty() || segments.windows(2).any(|pair| share_a_page(&pair[0], &pair[1])) {
            return Err(ElfError::BadSegment);
        }
        if !segments.iter().any(|segment| segment.has_code_at(entry)) {
            return Err(ElfError::BadEntry);
        }
        let relocations = relocations(&segments, dynamic, limit)?;
        Ok(Self { entry, segments, relocations })
    }
}

impl Segment<'_> {
    /// Whether `at` is the address of code that the file holds.
    fn has_code_at(&self, at: u64) -> bool {
        self.executable && (self.at..self.at + self.data.len() as u64).contains(&at)
    }

    /// Whether the 8 bytes at `at` lie in it and may be written.
    fn has_writable_word_at(&self, at: u64) -> bool {
        let end = at.checked_add(8);
        self.writable && at >= self.at && end.is_some_and(|end| end <= self.at + self.size)
    }
}

/// Whether `lower` ends in the page in which `upper` begins, or beyond.
fn share_a_page(lower: &Segment<'_>, upper: &Segment<'_>) -> bool {
    (lower.at + lower.size - 1) / PAGE >= upper.at / PAGE
}

fn index(value: Option<u64>) -> Result<usize, ElfError> {
    value.and_then(|value| usize::try_from(value).ok()).ok_or(ElfError::Truncated)
}

fn program_headers(file: &[u8]) -> Result<&[u8], ElfError> {
    let at = index(u64_at(file, 32))?;
    let size = usize::from(u16_at(file, 54).ok_or(ElfError::Truncated)?);
    let count = usize::from(u16_at(file, 56).ok_or(ElfError::Truncated)?);
    if size != PROGRAM_HEADER_BYTES {
        return Err(ElfError::Truncated);
    }
    let end = at.checked_add(size * count).ok_or(ElfError::Truncated)?;
    file.get(at..end).ok_or(ElfError::Truncated)
}

/// The bytes in the file that a program header names.
fn file_range<'a>(file: &'a [u8], header: &[u8]) -> Result<&'a [u8], ElfError> {
    let start = index(u64_at(header, 8))?;
    let end = start.checked_add(index(u64_at(header, 32))?).ok_or(ElfError::Truncated)?;
    file.get(start..end).ok_or(ElfError::Truncated)
}

fn segment<'a>(file: &'a [u8], header: &[u8], limit: u64) -> Result<Segment<'a>, ElfError> {
    let flags = u32_at(header, 4).ok_or(ElfError::Truncated)?;
    let at = u64_at(header, 16).ok_or(ElfError::Truncated)?;
    let size = u64_at(header, 40).ok_or(ElfError::Truncated)?;
    let data = file_range(file, header)?;
    let fits = at.checked_add(size).is_some_and(|end| end <= limit);
    if size == 0 || !fits || size < data.len() as u64 {
        return Err(ElfError::BadSegment);
    }
    let (writable, executable) = (flags & PF_W != 0, flags & PF_X != 0);
    if writable && executable {
        return Err(ElfError::WritableCode);
    }
    Ok(Segment { at, size, data, writable, executable })
}

fn relocations<'a>(
    segments: &[Segment<'a>],
    dynamic: &[u8],
    limit: u64,
) -> Result<Relocations<'a>, ElfError> {
    let (mut table_at, mut table_bytes) = (None, 0);
    for entry in dynamic.chunks_exact(DYNAMIC_BYTES) {
        match (u64_at(entry, 0), u64_at(entry, 8)) {
            (Some(0), _) => break,
            (Some(DT_RELA), at) => table_at = at,
            (Some(DT_RELASZ), Some(bytes)) => table_bytes = bytes,
            (Some(DT_REL | DT_JMPREL | DT_RELR), _) => return Err(ElfError::BadRelocation),
            (Some(DT_INIT | DT_INIT_ARRAY | DT_PREINIT_ARRAY), _) => return Err(ElfError::Constructors),
            _ => {}
        }
    }
    let Some(table_at) = table_at else { return Ok(Relocations { table: &[] }) };
    let table = segments.iter().find_map(|segment| {
        let start = usize::try_from(table_at.checked_sub(segment.at)?).ok()?;
        segment.data.get(start..start.checked_add(usize::try_from(table_bytes).ok()?)?)
    });
    let table = table.ok_or(ElfError::BadRelocation)?;
    let entries = table.chunks_exact(RELA_BYTES);
    let all_good = entries.clone().all(|entry| is_good(entry, segments, limit).unwrap_or(false));
    if all_good && entries.remainder().is_empty() {
        Ok(Relocations { table })
    } else {
        Err(ElfError::BadRelocation)
    }
}

/// Whether an entry of a relocation table is accepted; `None` if it is cut off.
fn is_good(entry: &[u8], segments: &[Segment<'_>], limit: u64) -> Option<bool> {
    let (at, kind, addend) = (u64_at(entry, 0)?, u64_at(entry, 8)?, u64_at(entry, 16)?);
    // A word that crosses a page would need two frames; no linker places one so.
    let fits = at.is_multiple_of(8) && segments.iter().any(|segment| segment.has_writable_word_at(at));
    // The address of anything past the room for images might not fit 64 bits.
    Some(kind == R_X86_64_RELATIVE && fits && addend <= limit)
}

#[cfg(test)]
#[path = "elf_tests.rs"]
pub(crate) mod tests;
