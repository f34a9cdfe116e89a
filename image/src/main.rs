//! `assay-image`: a kernel and a ramdisk in, bootable images out.
//!
//! The loader comes from the `bootloader` crate. This tool adds five things: it checks that the loader can start the
//! kernel; it puts a boot sector of its own between a BIOS and the loader; it makes media that start from either firmware
//! (the crate's are for one each, and disks only); it makes the forms that clouds and hypervisors import; and it leaves each
//! output either whole or untouched.

mod cdboot;
mod disk;
mod gce;
mod hybrid;
mod iso;
mod kernel_elf;
mod mbr;
mod output;
mod partition;
mod parts;
mod program;
mod qcow2;
mod table;
mod vhd;
mod vmdk;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;

use crate::disk::Disks;
use crate::output::Staged;
use crate::parts::Parts;

/// Put a kernel and a ramdisk into bootable images.
#[derive(Parser)]
#[command(version, about, long_about = None)]
#[command(group(clap::ArgGroup::new("output").required(true).multiple(true)))]
struct Args {
    /// Kernel: an x86_64 ELF built against bootloader_api
    #[arg(long, value_name = "ELF")]
    kernel: PathBuf,
    /// Ramdisk, passed to the kernel unchanged
    #[arg(long, value_name = "FILE")]
    ramdisk: PathBuf,
    /// Write a raw disk image that boots from a BIOS
    #[arg(long, value_name = "OUT", group = "output")]
    bios: Option<PathBuf>,
    /// Write a raw disk image that boots from UEFI
    #[arg(long, value_name = "OUT", group = "output")]
    uefi: Option<PathBuf>,
    /// Write a raw disk image that boots from both
    #[arg(long, value_name = "OUT", group = "output")]
    disk: Option<PathBuf>,
    /// Write an ISO that boots from both, as a CD or copied to a disk
    #[arg(long, value_name = "OUT", group = "output")]
    iso: Option<PathBuf>,
    /// Write that disk as Google Compute Engine imports it: disk.raw in a .tar.gz
    #[arg(long, value_name = "OUT", group = "output")]
    gce: Option<PathBuf>,
    /// Write that disk as a fixed VHD, for Azure and Hyper-V
    #[arg(long, value_name = "OUT", group = "output")]
    vhd: Option<PathBuf>,
    /// Write that disk as a qcow2 (needs qemu-img)
    #[arg(long, value_name = "OUT", group = "output")]
    qcow2: Option<PathBuf>,
    /// Write that disk as a stream-optimised VMDK
    #[arg(long, value_name = "OUT", group = "output")]
    vmdk: Option<PathBuf>,
    /// Fill a folder with the files that a UEFI network boot fetches by TFTP
    #[arg(long, value_name = "DIR", group = "output")]
    tftp: Option<PathBuf>,
}

/// Builds one form of the medium for both firmwares.
type Build = fn(&Parts, &Path) -> Result<Staged>;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // One line, and no backtrace even if RUST_BACKTRACE is set: these are errors of the user.
            eprintln!("assay-image: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let disks = Disks::new(&args.kernel, &args.ramdisk)?;

    // Nothing is replaced before everything has been built.
    let mut built = Vec::new();
    if let Some(path) = &args.bios {
        built.push(disks.bios(path)?);
    }
    if let Some(path) = &args.uefi {
        built.push(disks.uefi(path)?);
    }
    let forms: [(&Option<PathBuf>, Build); 6] = [
        (&args.disk, hybrid::build),
        (&args.iso, iso::build),
        (&args.gce, gce::build),
        (&args.vhd, vhd::build),
        (&args.qcow2, qcow2::build),
        (&args.vmdk, vmdk::build),
    ];
    let mut parts = None;
    for (path, build) in forms.iter().filter_map(|(path, build)| Some((path.as_ref()?, build))) {
        let parts = match &parts {
            Some(parts) => parts,
            None => parts.insert(disks.parts(path)?),
        };
        built.push(build(parts, path)?);
    }
    if let Some(folder) = &args.tftp {
        disks.tftp(folder)?;
    }
    built.into_iter().try_for_each(Staged::publish)
}
