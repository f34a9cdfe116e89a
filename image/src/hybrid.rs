//! The disk that starts from BIOS and UEFI. Every form for a cloud or a hypervisor is made from it.
//!
//! There is one disk for both, because the user often cannot choose the firmware: EC2 takes it from the instance type,
//! Azure from the image's generation, GCE from the machine series. Few users know which firmware they have.

use std::fs::File;
use std::io::{Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use anyhow::{Context, Result};

use crate::output::Staged;
use crate::partition::{Extent, SECTOR_BYTES};
use crate::parts::Parts;
use crate::table;

/// 2^20 bytes.
pub const MIB: u64 = 1 << 20;

/// The disk's least size. Azure accepts none below 20 MiB.
const LEAST_BYTES: u64 = 32 * MIB;
/// Partitions begin at a multiple of 1 MiB, as partitioning tools place them.
const ALIGNMENT: u64 = MIB / SECTOR_BYTES as u64;

/// The places of the parts on a disk of a certain size.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Layout {
    /// The disk's size, a multiple of the one requested.
    pub bytes: u64,
    stage_2: Extent,
    fat: Extent,
}

impl Layout {
    /// The smallest layout for `parts` whose size is a multiple of `multiple` bytes, itself a multiple of a MiB.
    pub fn new(parts: &Parts, multiple: u64) -> Result<Self> {
        let sectors = |bytes: &[u8]| u64::try_from(bytes.len().div_ceil(SECTOR_BYTES));
        let (stage_2, fat) = (sectors(&parts.stage_2)?, sectors(&parts.fat)?);
        let fat_at = (ALIGNMENT + stage_2).next_multiple_of(ALIGNMENT);
        let end = fat_at + fat + u64::from(table::SECTORS);
        let bytes = (end * SECTOR_BYTES as u64).max(LEAST_BYTES).next_multiple_of(multiple);
        let extent = |first: u64, sectors: u64| {
            anyhow::Ok(Extent { first: u32::try_from(first)?, sectors: u32::try_from(sectors)? })
        };
        let place = || anyhow::Ok((extent(ALIGNMENT, stage_2)?, extent(fat_at, fat)?));
        let (stage_2, fat) = place().context("larger than an MBR can describe, 2 TiB")?;
        Ok(Self { bytes, stage_2, fat })
    }

    /// The byte ranges with anything but zeroes: up to the end of the FAT, and the GPT's copy at the disk's end.
    pub fn used(&self) -> [Range<u64>; 2] {
        let byte = |sector: u32| u64::from(sector) * SECTOR_BYTES as u64;
        [0..byte(self.fat.first + self.fat.sectors), self.bytes - byte(table::SECTORS)..self.bytes]
    }

    /// Writes the disk to `disk`, an empty file. Unused ranges stay holes.
    pub fn write(&self, parts: &Parts, disk: &mut File) -> Result<()> {
        disk.set_len(self.bytes)?;
        for (extent, content) in [(self.stage_2, &parts.stage_2), (self.fat, &parts.fat)] {
            disk.seek(SeekFrom::Start(u64::from(extent.first) * SECTOR_BYTES as u64))?;
            disk.write_all(content)?;
        }
        table::write(disk, &parts.boot_sector, self.stage_2, self.fat, parts.digest())?;
        Ok(())
    }
}

/// Builds the disk, staged beside `destination`.
pub fn build(parts: &Parts, destination: &Path) -> Result<Staged> {
    let mut staged = Staged::new(destination)?;
    let layout = Layout::new(parts, MIB)?;
    layout
        .write(parts, staged.file())
        .with_context(|| format!("{}: cannot write the disk", destination.display()))?;
    Ok(staged)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(fat_mib: usize) -> Parts {
        let mut boot_sector = [0; SECTOR_BYTES];
        boot_sector[510..].copy_from_slice(&[0x55, 0xaa]);
        Parts { boot_sector, stage_2: vec![2; 961 * SECTOR_BYTES], fat: vec![3; fat_mib << 20] }
    }

    #[test]
    fn sizes_are_those_that_clouds_require() {
        let bytes = |fat_mib, multiple| Layout::new(&parts(fat_mib), multiple).unwrap().bytes;
        assert_eq!(bytes(2, MIB), 32 * MIB);
        assert_eq!(bytes(2, 1024 * MIB), 1024 * MIB);
        // 1 MiB, 1 for the second stage, 40 for the FAT, and 1 for the GPT's copy.
        assert_eq!(bytes(40, MIB), 43 * MIB);
    }

    #[test]
    fn unused_ranges_hold_only_zeroes() {
        let parts = parts(1);
        let layout = Layout::new(&parts, MIB).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        layout.write(&parts, &mut file).unwrap();
        let mut disk = Vec::new();
        file.seek(SeekFrom::Start(0)).unwrap();
        std::io::Read::read_to_end(&mut file, &mut disk).unwrap();
        assert_eq!(disk.len() as u64, layout.bytes);
        let byte = |at| usize::try_from(at).unwrap();
        let [front, back] = layout.used().map(|range| byte(range.start)..byte(range.end));
        assert!(disk[front.end..back.start].iter().all(|&byte| byte == 0));
        assert_eq!(disk[front.end - 1], 3, "the FAT's last byte");
        assert_eq!(back.end, disk.len());
        assert!(disk[back].ends_with(&[0; 512 - 92]), "it ends with the GPT's other header");
    }
}
