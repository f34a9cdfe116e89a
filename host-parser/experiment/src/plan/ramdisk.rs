//! The ramdisk: a ustar archive of the boot configuration, the plan and the programs, the same bytes for the same
//! content.

use abi::ramdisk::{CONFIG, PLAN, WORKERS};

use super::{PlanBytes, WorkerBlob};
use crate::boot_config::BootConfig;

/// The ramdisk that holds `plan` and `blobs`, in this order, after a boot configuration that sets nothing. Owner, group
/// and time of every file are 0.
#[must_use]
pub fn ramdisk(plan: &PlanBytes, blobs: &[&WorkerBlob]) -> Vec<u8> {
    ramdisk_with(&BootConfig::default(), plan, blobs)
}

/// The same with a boot configuration.
#[must_use]
pub fn ramdisk_with(config: &BootConfig, plan: &PlanBytes, blobs: &[&WorkerBlob]) -> Vec<u8> {
    ramdisk_of(config, plan.text(), blobs)
}

/// The same with any text for a plan.
///
/// # Panics
/// Never: an archive in memory takes all, and a label is shorter than a ustar name.
pub(crate) fn ramdisk_of(config: &BootConfig, plan: &str, blobs: &[&WorkerBlob]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, CONFIG, &config.file());
    append(&mut archive, PLAN, plan.as_bytes());
    for blob in blobs {
        append(&mut archive, &format!("{WORKERS}{}", blob.name()), blob.bytes());
    }
    archive.into_inner().expect("an archive in memory takes all")
}

fn append(archive: &mut tar::Builder<Vec<u8>>, name: &str, data: &[u8]) {
    let mut header = tar::Header::new_ustar();
    // Not `set_path`, which knows better than the caller what a good name is, and can fail.
    header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
    header.set_mode(0o444);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(data.len() as u64);
    header.set_cksum();
    archive.append(&header, data).expect("an archive in memory takes all");
}
