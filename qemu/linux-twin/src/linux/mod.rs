//! What Linux reports of itself and of the machine, in files and in its log.

pub mod cpuinfo;
pub mod interrupts;
pub mod iomem;
pub mod log;
pub mod memlock;
pub mod msr;
pub mod rtc;
pub mod schedstat;
pub mod scheduler;
pub mod smaps;

use std::fs;

use harness::build_id;

/// The first 8 bytes of the running kernel's GNU build ID; 0 if it has none, or does not publish it.
#[must_use]
pub fn build_id() -> u64 {
    fs::read("/sys/kernel/notes").ok().and_then(|notes| build_id::from_notes(&notes)).unwrap_or(0)
}

/// Linux's release, as `uname` has it.
#[must_use]
pub fn release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}
