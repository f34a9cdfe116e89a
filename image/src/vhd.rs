//! The form that Azure and Hyper-V import: a fixed VHD, which is a raw disk followed by a footer of one sector.
//!
//! Azure requires a size that is a multiple of 1 MiB, without the footer. The disk has such a size.
//!
//! Reference: Virtual Hard Disk Image Format Specification 1.0 (Microsoft, 2006), "Hard Disk Footer Format".

use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use anyhow::{Context, Result};

use crate::hybrid;
use crate::output::Staged;
use crate::partition::SECTOR_BYTES;
use crate::parts::Parts;
use crate::table::guid;

const FIXED: u32 = 2;
/// Offset of the checksum, the only field that it does not cover.
const CHECKSUM_AT: usize = 64;
/// Numbers 0 to 2 are the GUIDs of the disk and its partitions.
const GUID_NUMBER: u32 = 3;

/// Builds the VHD, staged beside `destination`.
pub fn build(parts: &Parts, destination: &Path) -> Result<Staged> {
    let mut staged = hybrid::build(parts, destination)?;
    let file = staged.file();
    let bytes = file.metadata()?.len();
    let footer = footer(bytes, *guid(parts.digest(), GUID_NUMBER).as_bytes());
    file.seek(SeekFrom::End(0))
        .and_then(|_| file.write_all(&footer))
        .with_context(|| format!("{}: cannot write its footer", destination.display()))?;
    Ok(staged)
}

/// The footer of a fixed disk of `bytes` bytes.
fn footer(bytes: u64, id: [u8; 16]) -> [u8; SECTOR_BYTES] {
    let (cylinders, heads, sectors_per_track) = geometry(bytes / SECTOR_BYTES as u64);
    let mut footer = [0; SECTOR_BYTES];
    let mut at = 0;
    let mut put = |field: &[u8]| {
        footer[at..at + field.len()].copy_from_slice(field);
        at += field.len();
    };
    put(b"conectix");
    put(&2_u32.to_be_bytes()); // features: the reserved bit, always set
    put(&0x0001_0000_u32.to_be_bytes()); // format 1.0
    put(&u64::MAX.to_be_bytes()); // no dynamic header
    put(&0_u32.to_be_bytes()); // time stamp: the start of 2000, so that the same input gives the same bytes
    // Readers choose by the creator whether the size is that of the fields below or the product of the geometry, which
    // cannot express every size. With Hyper-V's name they use the fields.
    put(b"win ");
    put(&0x000a_0000_u32.to_be_bytes()); // the creator's version
    put(b"Wi2k"); // the creator's operating system
    put(&bytes.to_be_bytes()); // original size
    put(&bytes.to_be_bytes()); // current size
    put(&cylinders.to_be_bytes());
    put(&[heads, sectors_per_track]);
    put(&FIXED.to_be_bytes());
    put(&0_u32.to_be_bytes()); // the checksum, filled in below
    put(&id);
    let sum: u32 = footer.iter().map(|&byte| u32::from(byte)).sum();
    footer[CHECKSUM_AT..CHECKSUM_AT + 4].copy_from_slice(&(!sum).to_be_bytes());
    footer
}

/// Cylinders, heads and sectors per track, by the specification's appendix "CHS Calculation".
fn geometry(sectors: u64) -> (u16, u8, u8) {
    let sectors = u32::try_from(sectors).unwrap_or(u32::MAX).min(65535 * 16 * 255);
    let (per_track, heads, tracks);
    if sectors >= 65535 * 16 * 63 {
        (per_track, heads, tracks) = (255, 16, sectors / 255);
    } else {
        let small = (sectors / 17).div_ceil(1024).max(4);
        let too_many = |tracks: u32, heads: u32| tracks >= heads * 1024 || heads > 16;
        (per_track, heads, tracks) = if !too_many(sectors / 17, small) {
            (17, small, sectors / 17)
        } else if !too_many(sectors / 31, 16) {
            (31, 16, sectors / 31)
        } else {
            (63, 16, sectors / 63)
        };
    }
    let narrow = |value: u32| u8::try_from(value).unwrap_or(u8::MAX);
    (u16::try_from(tracks / heads).unwrap_or(u16::MAX), narrow(heads), narrow(per_track))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_footer_adds_up() {
        let footer = footer(32 << 20, [7; 16]);
        let sum = footer.iter().map(|&byte| u32::from(byte)).sum::<u32>();
        let checksum = u32::from_be_bytes(*footer[CHECKSUM_AT..].first_chunk().unwrap());
        let own: u32 = checksum.to_be_bytes().map(u32::from).iter().sum();
        assert_eq!(checksum, !(sum - own));
        assert_eq!(footer[68..84], [7; 16]);
        assert!(footer[84..].iter().all(|&byte| byte == 0));
    }

    #[test]
    fn the_geometry_is_the_specifications() {
        // Sizes in sectors to which `qemu-img create -f vpc` 7.2 rounds 32, 127, 200 and 300 MiB, and its geometries.
        let known = [
            (65_552, (964, 4, 17)),
            (260_100, (1020, 15, 17)),
            (409_696, (826, 16, 31)),
            (614_880, (610, 16, 63)),
        ];
        for (sectors, expected) in known {
            assert_eq!(geometry(sectors), expected, "{sectors} sectors");
        }
        assert_eq!(geometry(u64::MAX), (65535, 16, 255));
    }
}
