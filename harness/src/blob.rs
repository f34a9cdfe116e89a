//! The workload's ELF in the ramdisk.

use abi::Digest;
use abi::plan::Plan;
use abi::ramdisk::{self, RamdiskError, WORKERS};
use abi::wire::record::Blob;

use crate::sink::Sink;
use crate::user::elf::{ElfError, ElfImage};
use crate::user::layout;

/// Why the workload's ELF cannot be run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BlobError {
    /// The ramdisk is damaged.
    Ramdisk(RamdiskError),
    /// The ramdisk does not hold it.
    Missing,
    /// Its SHA-256 is not the plan's.
    OtherHash,
    /// It cannot be loaded.
    Elf(ElfError),
}

impl BlobError {
    /// The code of the `error` record.
    pub const CODE: &'static str = "blob";

    /// A short text for records.
    #[must_use]
    pub const fn message(self) -> &'static str {
        match self {
            Self::Ramdisk(error) => error.message(),
            Self::Missing => "the ramdisk has no such worker",
            Self::OtherHash => "the worker's sha256 is not the plan's",
            Self::Elf(error) => error.message(),
        }
    }
}

/// Finds the plan's workload in `ramdisk`, emits its `blob` record, and checks it.
///
/// # Errors
/// It is missing, is not the ELF that the plan names, or cannot be loaded. The record is emitted even for another ELF.
pub fn load<'a>(plan: &Plan<'_>, ramdisk: &'a [u8], sink: &mut impl Sink) -> Result<ElfImage<'a>, BlobError> {
    let found = ramdisk::find(ramdisk, WORKERS, plan.workload.name.as_str());
    let file = found.map_err(BlobError::Ramdisk)?.ok_or(BlobError::Missing)?;
    let sha256 = Digest::of(file);
    let bytes = u32::try_from(file.len()).unwrap_or(u32::MAX);
    sink.record(Blob { name: plan.workload.name, bytes, sha256 }.into());
    if sha256 != plan.workload.sha256 {
        return Err(BlobError::OtherHash);
    }
    ElfImage::parse(file, layout::IMAGE_LIMIT - layout::IMAGE).map_err(BlobError::Elf)
}
