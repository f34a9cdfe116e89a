//! The parts of a medium that starts from BIOS and UEFI.

use abi::Digest;

use crate::mbr;
use crate::partition::{self, PartitionError, SECTOR_BYTES};

/// Partition type of the second stage. The boot code (`mbr.s`) starts partition 1. The second stage finds its own partition
/// by this type, and expects its files in the next one, which must have the type of a FAT.
pub const STAGE_2_TYPE: u8 = 0x20;
/// FAT32 by LBA, the type that every system reads.
pub const FAT_TYPE: u8 = 0x0c;

/// The parts. Both partitions consist of whole sectors.
pub struct Parts {
    /// Sector 0 with the boot code. Its partition table is not the medium's.
    pub boot_sector: [u8; SECTOR_BYTES],
    /// The loader's second stage.
    pub stage_2: Vec<u8>,
    /// All files: kernel, ramdisk, both loaders. It is also the EFI system partition.
    pub fat: Vec<u8>,
}

impl Parts {
    /// The parts of the loader's BIOS image.
    pub fn of_bios_image(image: &[u8]) -> Result<Self, PartitionError> {
        let mut boot_sector = *partition::mbr_sector(image)?;
        mbr::install(&mut boot_sector);
        Ok(Self {
            boot_sector,
            stage_2: partition::mbr_partition(image, 0, STAGE_2_TYPE)?.to_vec(),
            fat: partition::mbr_partition(image, 1, FAT_TYPE)?.to_vec(),
        })
    }

    /// The source of a medium's GUIDs, so that the same input gives the same bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&self.boot_sector[..], &self.stage_2, &self.fat].concat())
    }
}
