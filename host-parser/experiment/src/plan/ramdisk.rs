//! The ramdisk: an archive of the boot configuration, the plan and the programs.

use abi::ramdisk::{CONFIG, PLAN, WORKERS};

use super::blob::WorkerBlob;
use super::text::PlanBytes;
use crate::archive::archive;
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
    let config = config.file();
    let workers: Vec<String> = blobs.iter().map(|blob| format!("{WORKERS}{}", blob.name())).collect();
    let programs = workers.iter().zip(blobs).map(|(name, blob)| (name.as_str(), blob.bytes()));
    archive([(CONFIG, &config[..]), (PLAN, plan.text().as_bytes())].into_iter().chain(programs))
}
