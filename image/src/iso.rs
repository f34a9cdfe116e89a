//! One ISO for BIOS and UEFI: as a CD, on a disk, or on a USB stick.
//!
//! It is an ISO 9660 file system with the parts of the disk appended as partitions:
//!
//! | read as | firmware | starts                                                                          |
//! |---------|----------|---------------------------------------------------------------------------------|
//! | disk    | BIOS     | the boot code of `mbr.s`, which finds the loader's second stage by the MBR       |
//! | disk    | UEFI     | the same FAT, which is the EFI system partition of the GPT                      |
//! | CD      | BIOS     | the El Torito entry `cdboot.s`, which makes the drive a disk and starts the MBR |
//! | CD      | UEFI     | the El Torito entry that points at the FAT                                      |
//!
//! The tables fit because an ISO 9660 file system leaves its first 32 KiB unused; GPT and MBR take 17.

use std::fs::{self, OpenOptions};
use std::io::Read;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};

use crate::output::{Staged, scratch};
use crate::partition::{self, SECTOR_BYTES};
use crate::parts::{FAT_TYPE, Parts, STAGE_2_TYPE};
use crate::{cdboot, program, table};

const VOLUME: &str = "ASSAY";
/// The time of every file in it: the same input gives the same bytes.
const TIME: &str = "2000010100000000";

/// Builds the ISO, staged beside `destination`.
pub fn build(parts: &Parts, destination: &Path) -> Result<Staged> {
    let dir = scratch(destination)?;
    let part = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).with_context(|| format!("{}: cannot write it", path.display()))?;
        anyhow::Ok(path)
    };
    let stage_2 = part("stage2", &parts.stage_2)?;
    let fat = part("fat", &parts.fat)?;
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("boot"))?;
    part("root/boot/cdboot.bin", cdboot::sector())?;

    let staged = Staged::new(destination)?;
    let mut xorriso = Command::new("xorriso");
    // TIME is in this time zone.
    xorriso.env("TZ", "UTC");
    xorriso.args(["-as", "mkisofs", "-quiet", "-rational-rock", "-V", VOLUME]).arg("-o").arg(staged.path());
    xorriso.arg(format!("--modification-date={TIME}")).args(["--set_all_file_dates", TIME]);
    for (number, kind, path) in [(1, STAGE_2_TYPE, stage_2), (2, FAT_TYPE, fat)] {
        xorriso.arg("-append_partition").arg(format!("{number}")).arg(format!("{kind:#04x}")).arg(path);
    }
    xorriso.args(["-c", "boot/boot.cat", "-b", "boot/cdboot.bin", "-no-emul-boot"]);
    // In sectors of 512 bytes.
    xorriso.arg("-boot-load-size").arg((cdboot::SECTOR_BYTES / SECTOR_BYTES).to_string());
    xorriso.args(["-eltorito-alt-boot", "-e", "--interval:appended_partition_2:all::", "-no-emul-boot"]);
    xorriso.arg(root);
    program::run(xorriso, "xorriso")
        .and_then(|()| add_tables(parts, staged.path()))
        .with_context(|| format!("{}: cannot build the ISO", destination.display()))?;
    Ok(staged)
}

/// Replaces xorriso's partition table, which gives the places of the parts, with the tables for both firmwares.
fn add_tables(parts: &Parts, iso: &Path) -> Result<()> {
    let mut file = OpenOptions::new().read(true).write(true).open(iso)?;
    let mut sector = [0; SECTOR_BYTES];
    file.read_exact(&mut sector)?;
    let stage_2 = partition::mbr_extent(&sector, 0, STAGE_2_TYPE)?;
    let fat = partition::mbr_extent(&sector, 1, FAT_TYPE)?;
    // The GPT's copy goes to the end, which must also be the end of a CD sector.
    let tables = u64::from(table::SECTORS) * SECTOR_BYTES as u64;
    file.set_len((file.metadata()?.len() + tables).next_multiple_of(cdboot::SECTOR_BYTES as u64))?;
    table::write(file, &parts.boot_sector, stage_2, fat, parts.digest())?;
    Ok(())
}
