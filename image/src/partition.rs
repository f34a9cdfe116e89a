//! Finds partitions in a disk image in memory. Only reads, and trusts no number in the image.
//!
//! The images come straight from the `bootloader` crate or xorriso, so checksums are not verified.
//! Reference: UEFI Specification 2.10, chapter 5 (GPT), which also pins the legacy MBR.

use std::ops::Range;

use thiserror::Error;

/// The unit of both tables.
pub const SECTOR_BYTES: usize = 512;

const MBR_TABLE_AT: usize = 446;
const MBR_ENTRY_BYTES: usize = 16;
const MBR_SIGNATURE: &[u8] = &[0x55, 0xaa];

const GPT_SIGNATURE: &[u8] = b"EFI PART";
/// C12A7328-F81F-11D2-BA4B-00A0C93EC93B as stored on disk: the first three groups are little-endian.
const ESP_TYPE: [u8; 16] =
    [0x28, 0x73, 0x2a, 0xc1, 0x1f, 0xf8, 0xd2, 0x11, 0xba, 0x4b, 0x00, 0xa0, 0xc9, 0x3e, 0xc9, 0x3b];

/// The place of a partition, in sectors of 512 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Extent {
    /// Its first sector.
    pub first: u32,
    /// The number of its sectors.
    pub sectors: u32,
}

/// Why a partition could not be found.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PartitionError {
    #[error("expected an MBR signature (55 aa) at the end of sector 0")]
    NoMbr,
    #[error("expected MBR partition {index} to have type {expected:#04x}, found {found:#04x}")]
    WrongType { index: usize, expected: u8, found: u8 },
    #[error("expected a GPT header (EFI PART) in sector 1")]
    NoGpt,
    #[error("expected an EFI system partition in the GPT, found none")]
    NoEsp,
    #[error("a partition lies outside the image of {image_bytes} bytes")]
    OutOfBounds { image_bytes: usize },
}

/// The content of MBR partition `index`, 0 to 3, which must have type `expected`.
pub fn mbr_partition(image: &[u8], index: usize, expected: u8) -> Result<&[u8], PartitionError> {
    let Extent { first, sectors } = mbr_extent(image, index, expected)?;
    let start = u64::from(first);
    content(image, start..start + u64::from(sectors))
}

/// The place of MBR partition `index`, 0 to 3, which must have type `expected`. Reads only sector 0.
pub fn mbr_extent(image: &[u8], index: usize, expected: u8) -> Result<Extent, PartitionError> {
    let (entries, _) = mbr_sector(image)?[MBR_TABLE_AT..].as_chunks::<MBR_ENTRY_BYTES>();
    let entry = entries.get(index).ok_or(PartitionError::NoMbr)?;
    let found = entry[4];
    if found != expected {
        return Err(PartitionError::WrongType { index, expected, found });
    }
    let extent = || Some(Extent { first: u32_at(entry, 8)?, sectors: u32_at(entry, 12)? });
    extent().ok_or(PartitionError::NoMbr)
}

/// The content of the first EFI system partition in the GPT.
pub fn gpt_esp(image: &[u8]) -> Result<&[u8], PartitionError> {
    let header = image.get(SECTOR_BYTES..).unwrap_or_default();
    if !header.starts_with(GPT_SIGNATURE) {
        return Err(PartitionError::NoGpt);
    }
    let table = || {
        let at = usize::try_from(u64_at(header, 72)?).ok()?.checked_mul(SECTOR_BYTES)?;
        let count = usize::try_from(u32_at(header, 80)?).ok()?;
        let entry_bytes = usize::try_from(u32_at(header, 84)?).ok().filter(|&bytes| bytes > 0)?;
        Some(image.get(at..)?.chunks_exact(entry_bytes).take(count))
    };
    let esp = table().ok_or(PartitionError::NoGpt)?.find(|entry| entry.starts_with(&ESP_TYPE));
    let esp = esp.ok_or(PartitionError::NoEsp)?;
    let range = || Some(u64_at(esp, 32)?..u64_at(esp, 40)?.checked_add(1)?);
    content(image, range().ok_or(PartitionError::OutOfBounds { image_bytes: image.len() })?)
}

/// Sector 0, which must be an MBR.
pub fn mbr_sector(image: &[u8]) -> Result<&[u8; SECTOR_BYTES], PartitionError> {
    image.first_chunk().filter(|sector| sector.ends_with(MBR_SIGNATURE)).ok_or(PartitionError::NoMbr)
}

fn content(image: &[u8], sectors: Range<u64>) -> Result<&[u8], PartitionError> {
    let byte = |sector: u64| usize::try_from(sector).ok()?.checked_mul(SECTOR_BYTES);
    byte(sectors.start)
        .zip(byte(sectors.end))
        .and_then(|(start, end)| image.get(start..end))
        .ok_or(PartitionError::OutOfBounds { image_bytes: image.len() })
}

fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(offset..)?.first_chunk()?))
}

#[cfg(test)]
#[path = "partition_tests.rs"]
mod tests;
