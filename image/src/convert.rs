//! The forms that hypervisors keep disks in, qcow2 and VMDK, by QEMU's own tool: both are formats with tables inside,
//! and who has either has that tool or can get it.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, ensure};

use crate::output::{Staged, scratch};
use crate::parts::Parts;
use crate::{hybrid, program};

/// What the converted disk is called until it has its own name.
const NAME: &str = "assay-disk";
/// The number that qemu-img draws for each VMDK, as a line of the descriptor.
const CONTENT_ID: &str = "CID=";
/// Where a sparse VMDK's header has the place and the size of the descriptor, in sectors (VMware Virtual Disk Format
/// 5.0, "Hosted Sparse Extent Header").
const DESCRIPTOR_AT: usize = 28;
const DESCRIPTOR_SECTORS_AT: usize = 36;

/// Builds a qcow2 that QEMU 1.1 and later read, staged beside `destination`.
pub fn qcow2(parts: &Parts, destination: &Path) -> Result<Staged> {
    convert(parts, destination, "qcow2", "compat=1.1,lazy_refcounts=off")
}

/// Builds a stream-optimised VMDK, the kind that is imported and not run from, staged beside `destination`.
pub fn vmdk(parts: &Parts, destination: &Path) -> Result<Staged> {
    let staged = convert(parts, destination, "vmdk", "subformat=streamOptimized,adapter_type=lsilogic")?;
    let mut bytes = fs::read(staged.path())?;
    let id = u32::from_be_bytes(*parts.digest().0.first_chunk().context("a digest has 32 bytes")?);
    settle_content_id(&mut bytes, id)
        .with_context(|| format!("{}: not the VMDK expected of qemu-img", destination.display()))?;
    fs::write(staged.path(), bytes)?;
    Ok(staged)
}

fn convert(parts: &Parts, destination: &Path, format: &str, options: &str) -> Result<Staged> {
    let disk = hybrid::build(parts, destination)?;
    let mut staged = Staged::new(destination)?;
    // A VMDK names its own file, so that must not be a name made up for a while.
    let dir = scratch(destination)?;
    let made = dir.path().join(NAME);
    let mut qemu_img = Command::new("qemu-img");
    qemu_img.args(["convert", "-f", "raw", "-O", format, "-o", options]).args([disk.path(), &made]);
    program::run(qemu_img, "qemu-utils")
        .and_then(|()| Ok(io::copy(&mut File::open(&made)?, staged.file())?))
        .with_context(|| format!("{}: cannot convert the disk", destination.display()))?;
    Ok(staged)
}

/// Replaces the random content ID, so that the same input gives the same bytes.
fn settle_content_id(vmdk: &mut [u8], id: u32) -> Result<()> {
    let field = |at: usize| {
        let sectors = u64::from_le_bytes(*vmdk.get(at..)?.first_chunk()?);
        usize::try_from(sectors).ok()?.checked_mul(512)
    };
    let place = field(DESCRIPTOR_AT).zip(field(DESCRIPTOR_SECTORS_AT));
    let descriptor = place.and_then(|(at, bytes)| vmdk.get_mut(at..at.checked_add(bytes)?));
    let descriptor = descriptor.context("no descriptor where the header has it")?;
    let end = descriptor.iter().position(|&byte| byte == 0).unwrap_or(descriptor.len());
    let text = str::from_utf8(&descriptor[..end]).context("a descriptor that is no text")?;
    let settled = |line: &str| match line.starts_with(CONTENT_ID) {
        true => format!("{CONTENT_ID}{id:08x}\n"),
        false => line.to_owned(),
    };
    let text: String = text.split_inclusive('\n').map(settled).collect();
    ensure!(text.contains(&format!("{CONTENT_ID}{id:08x}\n")), "no content ID in its descriptor");
    ensure!(text.len() <= descriptor.len(), "no room for its descriptor");
    descriptor.fill(0);
    descriptor[..text.len()].copy_from_slice(text.as_bytes());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One sector of header, one of descriptor.
    fn vmdk(descriptor: &str) -> Vec<u8> {
        let mut vmdk = vec![0; 1024];
        vmdk[DESCRIPTOR_AT] = 1;
        vmdk[DESCRIPTOR_SECTORS_AT] = 1;
        vmdk[512..512 + descriptor.len()].copy_from_slice(descriptor.as_bytes());
        vmdk
    }

    #[test]
    fn a_short_content_id_and_a_long_one_end_up_alike() {
        let mut disks = ["CID=1\n", "CID=fedcba98\n"]
            .map(|id| vmdk(&format!("# Disk DescriptorFile\nversion=1\n{id}parentCID=ffffffff\n")));
        for disk in &mut disks {
            settle_content_id(disk, 0x1234).unwrap();
        }
        assert_eq!(disks[0], disks[1]);
        let expected = b"# Disk DescriptorFile\nversion=1\nCID=00001234\nparentCID=ffffffff\n\0";
        assert!(disks[0][512..].starts_with(expected));
    }

    #[test]
    fn refuses_what_is_no_such_vmdk() {
        for mut bytes in [vec![], vec![0xff; 1024], vmdk("version=1\n"), vmdk("")] {
            assert!(settle_content_id(&mut bytes, 1).is_err());
        }
        let full = format!("CID=1\n{}", "x".repeat(506));
        assert!(settle_content_id(&mut vmdk(&full), 1).is_err(), "longer by seven than there is room");
    }
}
