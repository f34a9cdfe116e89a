//! The ramdisk: an archive of the boot configuration, the plan, the programs and the corpus.

use abi::ramdisk::{CONFIG, CORPORA, PLAN, WORKERS};

use super::blob::WorkerBlob;
use super::text::PlanBytes;
use crate::archive::archive;
use crate::boot_config::BootConfig;

/// The ramdisk that holds `plan`, `blobs` and the plan's corpus, in this order, after a boot configuration that sets nothing. The program of the mechanisms' tasks follows the others. Owner, group
/// and time of every file are 0.
#[must_use]
pub fn ramdisk(plan: &PlanBytes, blobs: &[&WorkerBlob]) -> Vec<u8> {
    ramdisk_with(&BootConfig::default(), plan, blobs)
}

/// The same with a boot configuration.
#[must_use]
pub fn ramdisk_with(config: &BootConfig, plan: &PlanBytes, blobs: &[&WorkerBlob]) -> Vec<u8> {
    let config = config.file();
    let tasks = blobs.iter().find_map(|blob| blob.tasks());
    let blobs: Vec<&WorkerBlob> = blobs.iter().copied().chain(tasks).collect();
    let workers: Vec<String> = blobs.iter().map(|blob| format!("{WORKERS}{}", blob.name())).collect();
    let programs = workers.iter().zip(blobs).map(|(name, blob)| (name.as_str(), blob.bytes()));
    let corpus = plan.corpus().map(|corpus| (format!("{CORPORA}{}", corpus.name()), corpus));
    let corpus = corpus.as_ref().map(|(name, corpus)| (name.as_str(), corpus.bytes()));
    archive([(CONFIG, &config[..]), (PLAN, plan.text().as_bytes())].into_iter().chain(programs).chain(corpus))
}
