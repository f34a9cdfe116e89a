//! `assay-image`: a kernel and a ramdisk in, bootable images out.
//!
//! The loader is the `bootloader` crate's. What is ours is the check that the kernel is one that loader can start, the
//! hybrid ISO (the crate knows disks only), and that an output is either whole or untouched.

mod cdboot;
mod disk;
mod iso;
mod kernel_elf;
mod output;
mod partition;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::disk::Disks;
use crate::output::Staged;

/// Put a kernel and a ramdisk into bootable images.
#[derive(Parser)]
#[command(version, about, long_about = None)]
#[command(group(clap::ArgGroup::new("output").args(["bios", "uefi", "iso"]).required(true).multiple(true)))]
struct Args {
    /// Kernel: an x86_64 ELF built against bootloader_api
    #[arg(long, value_name = "ELF")]
    kernel: PathBuf,
    /// Ramdisk, handed to the kernel as it is
    #[arg(long, value_name = "FILE")]
    ramdisk: PathBuf,
    /// Write a raw disk image that boots from a BIOS
    #[arg(long, value_name = "OUT")]
    bios: Option<PathBuf>,
    /// Write a raw disk image that boots from UEFI
    #[arg(long, value_name = "OUT")]
    uefi: Option<PathBuf>,
    /// Write an ISO that boots from both, as a CD or copied to a disk
    #[arg(long, value_name = "OUT")]
    iso: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, and no backtrace whatever the environment says: these are a user's errors.
            eprintln!("assay-image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: Args) -> Result<()> {
    let disks = Disks::new(&args.kernel, &args.ramdisk)?;

    // The ISO is made of the parts of both disk images, so one that was not asked for is built beside it and dropped.
    let (bios_wanted, uefi_wanted) = (args.bios.is_some(), args.uefi.is_some());
    let bios = args.bios.or_else(|| args.iso.clone()).map(|path| disks.bios(&path)).transpose()?;
    let uefi = args.uefi.or_else(|| args.iso.clone()).map(|path| disks.uefi(&path)).transpose()?;
    let iso = match (&args.iso, &bios, &uefi) {
        (Some(path), Some(bios), Some(uefi)) => Some(iso::build(bios.path(), uefi.path(), path)?),
        _ => None,
    };

    // Nothing is replaced before everything has been built.
    let wanted = [bios.filter(|_| bios_wanted), uefi.filter(|_| uefi_wanted), iso];
    wanted.into_iter().flatten().try_for_each(Staged::publish)
}
