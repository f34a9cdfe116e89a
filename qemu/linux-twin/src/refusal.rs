//! Why there is nothing to run.

use abi::plan::PlanError;
use abi::ramdisk::RamdiskError;
use kernel::user::elf::ElfError;

/// Why a plan is not run: what an `error` record says. The codes are the kernel's where the kernel has the same reason.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The ramdisk cannot be read.
    #[error("{0}")]
    Ramdisk(std::io::Error),
    /// The plan is none.
    #[error("{0}")]
    Plan(PlanError),
    /// The ramdisk is damaged.
    #[error("{}", .0.message())]
    Damaged(RamdiskError),
    /// The workload's ELF is not there.
    #[error("the ramdisk has no such worker")]
    NoBlob,
    /// The ELF is not the one that the plan names.
    #[error("the worker's sha256 is not the plan's")]
    OtherBlob,
    /// The ELF cannot be loaded.
    #[error("{}", .0.message())]
    Elf(ElfError),
    /// The plan has a negative control.
    #[error("the plan's control is for the Assay kernel")]
    Control,
    /// No reading of the TSC's frequency.
    #[error("no source tells the frequency of the TSC")]
    NoClock,
    /// The CPUs cannot be told, or not be used.
    #[error("{0}")]
    Cpus(std::io::Error),
}

impl Refusal {
    /// The stable name.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Ramdisk(_) => "ramdisk",
            Self::Plan(_) => "plan",
            Self::Damaged(_) | Self::NoBlob | Self::OtherBlob | Self::Elf(_) => "blob",
            Self::Control => "control",
            Self::NoClock => "no-clock",
            Self::Cpus(_) => "cpus",
        }
    }
}
