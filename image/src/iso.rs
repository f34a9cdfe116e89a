//! One ISO for BIOS and UEFI, as a CD, copied to a disk, or as a USB stick.
//!
//! It is an ISO 9660 file system with the parts of both disk images appended as MBR partitions:
//!
//! | read as | firmware | starts                                                                          |
//! |---------|----------|---------------------------------------------------------------------------------|
//! | disk    | BIOS     | the loader's MBR code, which finds its second stage and FAT as partitions 1, 2  |
//! | disk    | UEFI     | partition 3, an EFI system partition                                            |
//! | CD      | BIOS     | the El Torito entry `cdboot.s`, which makes the drive a disk and starts the MBR |
//! | CD      | UEFI     | the El Torito entry that points at partition 3                                  |

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, anyhow, ensure};

use crate::output::{Staged, scratch};
use crate::{cdboot, partition};

/// Partition types. The loader's MBR code looks for the first of these, and takes the next partition for its files.
const STAGE_2_TYPE: u8 = 0x20;
const FAT_TYPE: u8 = 0x0c;
const ESP_TYPE: u8 = 0xef;

const VOLUME: &str = "ASSAY";

/// Builds the ISO out of the two disk images, staged beside `destination`.
pub fn build(bios_image: &Path, uefi_image: &Path, destination: &Path) -> Result<Staged> {
    let bios = fs::read(bios_image)?;
    let uefi = fs::read(uefi_image)?;
    let dir = scratch(destination)?;
    let part = |name: &str, bytes: &[u8]| {
        let path = dir.path().join(name);
        fs::write(&path, bytes).with_context(|| format!("{}: cannot write it", path.display()))?;
        anyhow::Ok(path)
    };
    let in_bios = "in the BIOS disk image, to make the ISO";
    let mbr = part("mbr", partition::mbr_boot_code(&bios).context(in_bios)?)?;
    let stage_2 = part("stage2", partition::mbr_partition(&bios, 0, STAGE_2_TYPE).context(in_bios)?)?;
    let fat = part("fat", partition::mbr_partition(&bios, 1, FAT_TYPE).context(in_bios)?)?;
    let esp = part("esp", partition::gpt_esp(&uefi).context("in the UEFI disk image, to make the ISO")?)?;
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("boot"))?;
    part("root/boot/cdboot.bin", cdboot::sector())?;

    let staged = Staged::new(destination)?;
    let mut xorriso = Command::new("xorriso");
    xorriso.args(["-as", "mkisofs", "-quiet", "-rational-rock", "-V", VOLUME]).arg("-o").arg(staged.path());
    xorriso.arg("--generic-boot").arg(mbr).arg("--mbr-force-bootable");
    for (number, kind, path) in [(1, STAGE_2_TYPE, stage_2), (2, FAT_TYPE, fat), (3, ESP_TYPE, esp)] {
        xorriso.arg("-append_partition").arg(format!("{number}")).arg(format!("{kind:#04x}")).arg(path);
    }
    xorriso.args(["-c", "boot/boot.cat", "-b", "boot/cdboot.bin", "-no-emul-boot"]);
    // Counted in sectors of 512 bytes.
    xorriso.arg("-boot-load-size").arg((cdboot::SECTOR_BYTES / 512).to_string());
    xorriso.args(["-eltorito-alt-boot", "-e", "--interval:appended_partition_3:all::", "-no-emul-boot"]);
    xorriso.arg(root);
    run(xorriso).with_context(|| format!("{}: cannot build the ISO", destination.display()))?;
    Ok(staged)
}

/// Runs xorriso, whose output (it greets even when told to be quiet) is shown only where it failed.
fn run(mut xorriso: Command) -> Result<()> {
    let output = xorriso.output().map_err(|error| match error.kind() {
        ErrorKind::NotFound => {
            anyhow!("xorriso is not installed: install the package `xorriso` (or run `make setup`)")
        }
        _ => anyhow!("xorriso cannot be run: {error}"),
    })?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "xorriso failed, {}:\n{}", output.status, said.trim_end());
    Ok(())
}
