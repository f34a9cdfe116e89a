//! Why a plan is not run.

use abi::plan::PlanError;
use harness::blob::BlobError;

/// Why a plan is not run, as an `error` record. If the kernel has the same reason, the code is the kernel's.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The ramdisk cannot be read.
    #[error("{0}")]
    Ramdisk(std::io::Error),
    /// The ramdisk holds no valid plan.
    #[error("{0}")]
    Plan(PlanError),
    /// The workload's ELF cannot be run.
    #[error("{}", .0.message())]
    Blob(BlobError),
    /// The plan has a negative control.
    #[error("the plan's control is for the Assay kernel")]
    Control,
    /// No source states the TSC's frequency.
    #[error("no source states the frequency of the TSC")]
    NoClock,
    /// The CPUs cannot be listed, or not be used.
    #[error("{0}")]
    Cpus(std::io::Error),
    /// Linux allows no real-time process.
    #[error("{0}")]
    RealTime(std::io::Error),
}

impl Refusal {
    /// The stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ramdisk(_) => "ramdisk",
            Self::Plan(_) => "plan",
            Self::Blob(_) => BlobError::CODE,
            Self::Control => "control",
            Self::NoClock => "no-clock",
            Self::Cpus(_) => "cpus",
            Self::RealTime(_) => "real-time",
        }
    }
}
