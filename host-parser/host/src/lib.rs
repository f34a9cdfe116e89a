//! The host of a measurement: its CPUs and cores, what its scheduler and its hypervisor did to them, the wait until they
//! are undisturbed, and the doctor's checks.
//!
//! The crate reads /proc and /sys below a [`Root`], so that it can be tested on captured trees. It knows neither QEMU nor
//! results: it reports plain figures.
#![forbid(unsafe_code)]

mod cancel;
mod cost;
mod cpu_set;
mod delays;
pub mod doctor;
#[cfg(any(test, feature = "fixture"))]
pub mod fixture;
mod host_wait;
mod identity;
mod pinning;
mod proc_fields;
mod proc_pid_stat;
mod proc_stat;
pub mod process;
mod root;
mod signals;
mod steal;
mod topology;
mod vcpu;

pub use cancel::CancelToken;
pub use cost::{CostAccount, RunCost};
pub use cpu_set::{CpuSet, CpuSetError};
pub use delays::{DelayAccount, ReaderDelay, SeenDelays, ThreadDelay};
pub use host_wait::HostWait;
pub use identity::HostIdentity;
pub use pinning::{HostCpus, PinningError};
pub use root::Root;
pub use signals::cancel_on_signals;
pub use steal::{StealAccount, StolenTime};
pub use topology::HostTopology;
pub use vcpu::{PinError, SchedStat, VcpuThread, pin, read_back};
