//! The partition table of a medium for both firmwares: a GPT, and in sector 0 a hybrid MBR.
//!
//! UEFI uses the GPT if one entry of the MBR is a protective one that starts at LBA 1; it ignores the other entries. A
//! BIOS only runs the code in sector 0, and that code and the loader read the MBR's entries. The GPT lists the same
//! partitions, so that no tool treats their sectors as free.
//!
//! Reference: UEFI Specification 2.10, chapter 5 (GPT disk layout; section 5.2.3: protective MBR).

use std::fs::{self, OpenOptions};
use std::io::Result;
use std::path::Path;

use abi::Digest;
use gpt::disk::LogicalBlockSize::Lb512;
use gpt::mbr::{PartRecord, ProtectiveMBR};
use gpt::partition::Partition;
use gpt::partition_types::{BIOS, EFI, Type};
use gpt::{DiskDevice, GptConfig};
use uuid::{Builder, Uuid};

use crate::partition::{self, Extent, SECTOR_BYTES};
use crate::parts::{FAT_TYPE, STAGE_2_TYPE};

/// Sectors of header and entries, behind sector 0 and again at the end of a medium.
pub const SECTORS: u32 = 33;

const PROTECTIVE_TYPE: u8 = 0xee;
const ACTIVE: u8 = 0x80;

/// Writes both tables for `stage_2` and `fat` to a medium of its final size. The boot code is that of `boot_sector`; the
/// GUIDs are derived from `seed`.
pub fn write<D: DiskDevice>(
    mut medium: D,
    boot_sector: &[u8; SECTOR_BYTES],
    stage_2: Extent,
    fat: Extent,
    seed: Digest,
) -> Result<()> {
    let mut mbr = ProtectiveMBR::from_bytes(boot_sector, Lb512)?;
    // The loader prescribes the order. One entry is active, because some BIOSes start no medium without one.
    mbr.set_partition(0, record(ACTIVE, STAGE_2_TYPE, stage_2));
    mbr.set_partition(1, record(0, FAT_TYPE, fat));
    mbr.set_partition(2, record(0, PROTECTIVE_TYPE, Extent { first: 1, sectors: SECTORS }));
    mbr.set_partition(3, PartRecord::zero());
    mbr.overwrite_lba0(&mut medium)?;

    let partitions = [
        (1, entry(BIOS, "assay loader", stage_2, guid(seed, 1))),
        (2, entry(EFI, "assay", fat, guid(seed, 2))),
    ];
    let new = GptConfig::new().writable(true).initialized(false).logical_block_size(Lb512);
    let mut gpt = new.create_from_device(Box::new(&mut medium), Some(guid(seed, 0)))?;
    gpt.update_partitions(partitions.into())?;
    gpt.write().map(drop)
}

/// Replaces the random GUIDs of the loader's UEFI image with GUIDs derived from its content.
pub fn settle_guids(image: &Path) -> anyhow::Result<()> {
    let seed = Digest::of(partition::gpt_esp(&fs::read(image)?)?);
    let file = OpenOptions::new().read(true).write(true).open(image)?;
    let open = GptConfig::new().writable(true).logical_block_size(Lb512);
    let mut gpt = open.open_from_device(Box::new(file))?;
    let mut partitions = gpt.partitions().clone();
    for (&number, partition) in &mut partitions {
        partition.part_guid = guid(seed, number);
    }
    gpt.update_guid(Some(guid(seed, 0)))?;
    gpt.update_partitions(partitions)?;
    gpt.write()?;
    Ok(())
}

/// GUID `number` of a medium: version 8 of RFC 9562, whose content the maker chooses.
pub fn guid(seed: Digest, number: u32) -> Uuid {
    let digest = Digest::of(format!("assay {seed} {number}").as_bytes());
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&digest.0[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

/// An entry of the MBR. The values for cylinders, heads and sectors mean "use the LBA", by convention.
fn record(boot_indicator: u8, os_type: u8, extent: Extent) -> PartRecord {
    PartRecord {
        boot_indicator,
        start_head: 0xfe,
        start_sector: 0xff,
        start_track: 0xff,
        os_type,
        end_head: 0xfe,
        end_sector: 0xff,
        end_track: 0xff,
        lb_start: extent.first,
        lb_size: extent.sectors,
    }
}

fn entry(part_type_guid: Type, name: &str, extent: Extent, part_guid: Uuid) -> Partition {
    let first_lba = u64::from(extent.first);
    let last_lba = first_lba + u64::from(extent.sectors) - 1;
    Partition { part_type_guid, part_guid, first_lba, last_lba, flags: 0, name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    const MEDIUM_SECTORS: usize = 128;
    const STAGE_2: Extent = Extent { first: 40, sectors: 3 };
    const FAT: Extent = Extent { first: 48, sectors: 8 };

    fn medium(seed: &[u8]) -> Vec<u8> {
        let mut boot_sector = [0x90; SECTOR_BYTES];
        boot_sector[510..].copy_from_slice(&[0x55, 0xaa]);
        let mut medium = vec![0; MEDIUM_SECTORS * SECTOR_BYTES];
        medium[48 * SECTOR_BYTES..56 * SECTOR_BYTES].fill(0xfa);
        write(Cursor::new(&mut medium[..]), &boot_sector, STAGE_2, FAT, Digest::of(seed)).unwrap();
        medium
    }

    #[test]
    fn both_tables_name_the_same_partitions() {
        let medium = medium(b"");
        assert_eq!(partition::mbr_extent(&medium, 0, STAGE_2_TYPE), Ok(STAGE_2));
        assert_eq!(partition::mbr_extent(&medium, 1, FAT_TYPE), Ok(FAT));
        assert_eq!(partition::gpt_esp(&medium), Ok(&[0xfa; 8 * SECTOR_BYTES][..]));
        assert!(medium[..440].iter().all(|&byte| byte == 0x90), "the boot code is damaged");
    }

    #[test]
    fn the_protective_entry_leads_uefi_to_the_gpt() {
        let protective = Extent { first: 1, sectors: SECTORS };
        let medium = medium(b"");
        assert_eq!(partition::mbr_extent(&medium, 2, PROTECTIVE_TYPE), Ok(protective));
        // UEFI ignores a protective entry that is active.
        assert_eq!(medium[446 + 2 * 16], 0);
        let backup = &medium[(MEDIUM_SECTORS - 1) * SECTOR_BYTES..];
        assert!(backup.starts_with(b"EFI PART"));
    }

    #[test]
    fn guids_follow_from_the_seed() {
        assert_eq!(medium(b"one"), medium(b"one"));
        assert_ne!(medium(b"one"), medium(b"two"));
        let guids = [0, 1, 2, 3].map(|number| guid(Digest::of(b""), number));
        assert!(guids.iter().enumerate().all(|(at, guid)| !guids[..at].contains(guid)));
    }
}
