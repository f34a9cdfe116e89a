//! Why a plan is not run.

use abi::plan::PlanError;
use harness::blob::BlobError;
use harness::clock::Reading;

/// Why a plan is not run, as an `error` record. If the kernel has the same reason, the code is the kernel's.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The ramdisk cannot be read.
    #[error("{0}")]
    Ramdisk(String),
    /// The ramdisk holds no valid plan.
    #[error("{0}")]
    Plan(PlanError),
    /// The workload's ELF cannot be run.
    #[error("{}", .0.message())]
    Blob(BlobError),
    /// The plan has a negative control.
    #[error("the plan's control is for the Assay kernel")]
    Control,
    /// No source states a frequency of the TSC that a CPU has; these are what they state. Linux measures it against the PIT
    /// while it boots, and believes that even if the HPET says otherwise: on a busy host 117 and 200 MHz were seen for 2,596.
    #[error("no source states a frequency that a TSC has{}", listed(.0))]
    NoClock(Vec<Reading>),
    /// The CPUs cannot be listed, or not be used.
    #[error("{0}")]
    Cpus(String),
    /// Linux allows no real-time process.
    #[error("{0}")]
    RealTime(std::io::Error),
}

/// What the sources state, and where it comes from.
fn listed(readings: &[Reading]) -> String {
    let each = readings.iter().map(|reading| format!("{} {} kHz", reading.source.word(), reading.khz));
    let all = each.collect::<Vec<_>>().join(", ");
    if all.is_empty() { all } else { format!(": {all}; a busy host disturbs Linux's calibration") }
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
            Self::NoClock(_) => "no-clock",
            Self::Cpus(_) => "cpus",
            Self::RealTime(_) => "real-time",
        }
    }
}
