//! The images that the `bootloader` crate makes from checked inputs: a disk for each firmware, and the parts of a medium
//! for both.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use bootloader::DiskImageBuilder;
use bootloader_boot_config::{BootConfig, LevelFilter};

use crate::kernel_elf;
use crate::mbr;
use crate::output::{Staged, scratch};
use crate::parts::Parts;
use crate::table;

/// The file that UEFI starts on a medium without a boot entry (UEFI Specification 2.10, section 3.5.1.1).
const UEFI_BOOT_FILE: &str = "efi/boot/bootx64.efi";
/// The crate's name for its UEFI loader, in a folder for TFTP.
const UEFI_LOADER: &str = "bootloader";

/// A checked kernel and ramdisk. Every image is made from them.
pub struct Disks {
    kernel: PathBuf,
    ramdisk: PathBuf,
}

impl Disks {
    /// Checks both inputs. A kernel that the loader would refuse is refused here, while a person reads the messages.
    pub fn new(kernel: &Path, ramdisk: &Path) -> Result<Self> {
        let elf =
            fs::read(kernel).with_context(|| format!("{}: cannot read the kernel", kernel.display()))?;
        kernel_elf::check(&elf)
            .with_context(|| format!("{}: not a kernel the loader can start", kernel.display()))?;
        let ramdisk_meta = fs::metadata(ramdisk)
            .with_context(|| format!("{}: cannot read the ramdisk", ramdisk.display()))?;
        ensure!(ramdisk_meta.is_file(), "{}: expected a ramdisk, found no regular file", ramdisk.display());
        // The loader treats an empty ramdisk as a missing one.
        ensure!(ramdisk_meta.len() > 0, "{}: the ramdisk is empty", ramdisk.display());
        Ok(Self { kernel: kernel.to_owned(), ramdisk: ramdisk.to_owned() })
    }

    /// Builds the MBR image for a BIOS, staged beside `destination`.
    pub fn bios(&self, destination: &Path) -> Result<Staged> {
        let staged = Staged::new(destination)?;
        self.builder()
            .create_bios_image(staged.path())
            .and_then(|()| Ok(OpenOptions::new().write(true).open(staged.path())?.write_all(mbr::code())?))
            .with_context(|| format!("{}: cannot build the BIOS disk image", destination.display()))?;
        Ok(staged)
    }

    /// Builds the GPT image for UEFI, staged beside `destination`.
    pub fn uefi(&self, destination: &Path) -> Result<Staged> {
        let staged = Staged::new(destination)?;
        self.builder()
            .create_uefi_image(staged.path())
            .and_then(|()| table::settle_guids(staged.path()))
            .with_context(|| format!("{}: cannot build the UEFI disk image", destination.display()))?;
        Ok(staged)
    }

    /// Fills `folder` with the files that a UEFI network boot fetches by TFTP.
    pub fn tftp(&self, folder: &Path) -> Result<()> {
        self.builder()
            .create_uefi_tftp_folder(folder)
            .with_context(|| format!("{}: cannot fill the folder for TFTP", folder.display()))
    }

    /// The parts of a medium for both firmwares; intermediate files are made beside `destination`.
    ///
    /// The crate's BIOS image has all of them except the UEFI loader. Adding that loader to its FAT makes the FAT serve
    /// both firmwares, so the medium holds kernel and ramdisk once.
    pub fn parts(&self, destination: &Path) -> Result<Parts> {
        let dir = scratch(destination)?;
        DiskImageBuilder::empty().create_uefi_tftp_folder(dir.path())?;
        let mut builder = self.builder();
        builder.set_file(UEFI_BOOT_FILE.to_owned(), dir.path().join(UEFI_LOADER));
        let image = dir.path().join("bios");
        builder
            .create_bios_image(&image)
            .with_context(|| format!("{}: cannot build its parts", destination.display()))?;
        Parts::of_bios_image(&fs::read(&image)?).context("in the loader's disk image")
    }

    fn builder(&self) -> DiskImageBuilder {
        let mut builder = DiskImageBuilder::new(self.kernel.clone());
        builder.set_ramdisk(self.ramdisk.clone()).set_boot_config(&quiet());
        builder
    }
}

/// The serial line belongs to the kernel, so the loader prints only errors on it. Logging is not turned off, because the
/// loader's panic message is the only sign of a failure before the kernel starts.
fn quiet() -> BootConfig {
    let mut config = BootConfig::default();
    config.log_level = LevelFilter::Error;
    config.serial_logging = true;
    config.frame_buffer_logging = false;
    config
}
