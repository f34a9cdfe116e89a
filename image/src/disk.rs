//! The two disk images: the `bootloader` crate's work, with inputs that have been looked at first.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use bootloader::DiskImageBuilder;
use bootloader_boot_config::{BootConfig, LevelFilter};

use crate::kernel_elf;
use crate::output::Staged;

/// A checked kernel and ramdisk, from which either disk image can be made.
pub struct Disks {
    builder: DiskImageBuilder,
}

impl Disks {
    /// Checks both inputs. A kernel that the loader would refuse is refused here, where somebody reads the message.
    pub fn new(kernel: &Path, ramdisk: &Path) -> Result<Self> {
        let elf =
            fs::read(kernel).with_context(|| format!("{}: cannot read the kernel", kernel.display()))?;
        kernel_elf::check(&elf)
            .with_context(|| format!("{}: not a kernel the loader can start", kernel.display()))?;
        let ramdisk_meta = fs::metadata(ramdisk)
            .with_context(|| format!("{}: cannot read the ramdisk", ramdisk.display()))?;
        ensure!(ramdisk_meta.is_file(), "{}: expected a ramdisk, found no regular file", ramdisk.display());
        // The loader takes an empty one for none at all.
        ensure!(ramdisk_meta.len() > 0, "{}: the ramdisk is empty", ramdisk.display());

        let mut builder = DiskImageBuilder::new(kernel.to_owned());
        builder.set_ramdisk(ramdisk.to_owned()).set_boot_config(&quiet());
        Ok(Self { builder })
    }

    /// Builds the MBR image for a BIOS, staged beside `destination`.
    pub fn bios(&self, destination: &Path) -> Result<Staged> {
        let staged = Staged::new(destination)?;
        self.builder
            .create_bios_image(staged.path())
            .with_context(|| format!("{}: cannot build the BIOS disk image", destination.display()))?;
        Ok(staged)
    }

    /// Builds the GPT image for UEFI, staged beside `destination`.
    pub fn uefi(&self, destination: &Path) -> Result<Staged> {
        let staged = Staged::new(destination)?;
        self.builder
            .create_uefi_image(staged.path())
            .with_context(|| format!("{}: cannot build the UEFI disk image", destination.display()))?;
        Ok(staged)
    }
}

/// The serial line is the kernel's, so the loader says nothing on it unless it fails: then its panic is the only sign
/// of what went wrong, which is why logging is limited to errors and not turned off.
fn quiet() -> BootConfig {
    let mut config = BootConfig::default();
    config.log_level = LevelFilter::Error;
    config.serial_logging = true;
    config.frame_buffer_logging = false;
    config
}
