//! What a medium that a BIOS and UEFI both start from is put together of.

use abi::Digest;

use crate::partition::{self, PartitionError, SECTOR_BYTES};

/// Partition types. The loader's MBR code takes partition 1, which its second stage looks for by this type, and then
/// takes the next one, which must have one of the types of a FAT, for its files.
pub const STAGE_2_TYPE: u8 = 0x20;
/// FAT with 32 bits, by LBA: the one that every system looks into.
pub const FAT_TYPE: u8 = 0x0c;

/// The parts. Both partitions are whole sectors.
pub struct Parts {
    /// Sector 0 with the loader's first stage; its partition table is not that of the medium.
    pub boot_sector: [u8; SECTOR_BYTES],
    /// The loader's second stage.
    pub stage_2: Vec<u8>,
    /// Everything else: kernel, ramdisk, both loaders. It is UEFI's system partition too.
    pub fat: Vec<u8>,
}

impl Parts {
    /// The parts of the loader's BIOS image.
    pub fn of_bios_image(image: &[u8]) -> Result<Self, PartitionError> {
        Ok(Self {
            boot_sector: *partition::mbr_sector(image)?,
            stage_2: partition::mbr_partition(image, 0, STAGE_2_TYPE)?.to_vec(),
            fat: partition::mbr_partition(image, 1, FAT_TYPE)?.to_vec(),
        })
    }

    /// What the identities of a medium are derived from, so that the same input gives the same bytes.
    pub fn digest(&self) -> Digest {
        Digest::of(&[&self.boot_sector[..], &self.stage_2, &self.fat].concat())
    }
}
