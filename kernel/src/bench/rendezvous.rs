//! Where the CPUs of a case meet before they start together.

use core::hint;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crate::clock::Clock;
use crate::x86::tsc;

/// From the last arrival to the common start: time for every CPU to see the start, put it into its worker's
/// arguments, and enter ring 3, with room for a host that schedules a vCPU away for a moment.
const LEAD_US: u64 = 2_000;

/// No start will be given.
const ABORTED: u64 = u64::MAX;

/// A meeting of a fixed number of CPUs, once.
pub struct Rendezvous {
    missing: AtomicU32,
    /// 0 until all are there; then the TSC value of the common start, or [`ABORTED`].
    start_tsc: AtomicU64,
}

impl Rendezvous {
    /// For `expected` CPUs.
    #[must_use]
    pub const fn new(expected: u32) -> Self {
        Self { missing: AtomicU32::new(expected), start_tsc: AtomicU64::new(0) }
    }

    /// Waits for the others; returns the common start. `None` where they did not all come within `timeout_us`: then
    /// none of them starts.
    pub fn arrive(&self, clock: &Clock, timeout_us: u64) -> Option<u64> {
        self.count();
        let limit = tsc::read().saturating_add(clock.cycles(timeout_us));
        loop {
            let start = self.start_tsc.load(Ordering::Acquire);
            if start != 0 {
                return Some(start).filter(|&start| start != ABORTED);
            }
            let here = tsc::read();
            if self.missing.load(Ordering::Acquire) == 0 {
                self.settle(here + clock.cycles(LEAD_US));
            } else if here >= limit {
                self.settle(ABORTED);
            }
            hint::spin_loop();
        }
    }

    /// Counts this CPU as come, though it will not start: the others need not wait for it.
    pub fn withdraw(&self) {
        self.count();
    }

    /// The common start, where one was given.
    #[must_use]
    pub fn start_tsc(&self) -> Option<u64> {
        Some(self.start_tsc.load(Ordering::Acquire)).filter(|&start| start != 0 && start != ABORTED)
    }

    fn count(&self) {
        self.missing.fetch_sub(1, Ordering::AcqRel);
    }

    /// The first decision stands.
    fn settle(&self, start: u64) {
        let _ = self.start_tsc.compare_exchange(0, start, Ordering::AcqRel, Ordering::Acquire);
    }
}
