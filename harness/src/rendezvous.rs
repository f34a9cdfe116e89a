//! The rendezvous of a case's CPUs, from which they all start at one TSC value.

use core::hint;
use core::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use abi::tsc::LEAD_US;

use crate::clock::{Clock, Mark};
use crate::x86::tsc;

/// How many looks there are between two readings of the clock: a CPU that waits must not slow one that is still in its
/// pace check, whose readings an emulator's lock may hold up.
const LOOKS: u32 = 256;

/// There will be no start.
const ABORTED: u64 = u64::MAX;

/// A rendezvous of a fixed number of CPUs, used once. It lies in memory that processes can share: atomics only.
pub struct Rendezvous {
    missing: AtomicU32,
    /// CPUs that have not come back from their timed call.
    running: AtomicU32,
    /// 0 until all have arrived; then the TSC value of the common start, or [`ABORTED`].
    start_tsc: AtomicU64,
    /// When the last CPU arrived, on both clocks. Written once there is a start, and read when all workers are done.
    warm_tsc: AtomicU64,
    warm_count: AtomicU64,
}

impl Rendezvous {
    /// A rendezvous of `expected` CPUs.
    #[must_use]
    pub const fn new(expected: u32) -> Self {
        Self {
            missing: AtomicU32::new(expected),
            running: AtomicU32::new(expected),
            start_tsc: AtomicU64::new(0),
            warm_tsc: AtomicU64::new(0),
            warm_count: AtomicU64::new(0),
        }
    }

    /// Waits for the others and returns the common start. `None` if they did not all arrive within `timeout_us`; then
    /// none of them starts. A CPU that finds all arrived reads both clocks by `mark`.
    pub fn arrive(&self, clock: &Clock, timeout_us: u64, mark: impl Fn() -> Mark) -> Option<u64> {
        self.count();
        let limit = tsc::read().saturating_add(clock.cycles(timeout_us));
        let mut look = 0_u32;
        loop {
            let start = self.start_tsc.load(Ordering::Acquire);
            if start != 0 {
                return Some(start).filter(|&start| start != ABORTED);
            }
            if self.missing.load(Ordering::Acquire) == 0 {
                let warm = mark();
                if self.settle(warm.tsc + clock.cycles(LEAD_US)) {
                    self.warm_tsc.store(warm.tsc, Ordering::Release);
                    self.warm_count.store(warm.count, Ordering::Release);
                }
            } else if look.is_multiple_of(LOOKS) && tsc::read() >= limit {
                self.settle(ABORTED);
            }
            look = look.wrapping_add(1);
            hint::spin_loop();
        }
    }

    /// Counts this CPU as arrived although it will not start, so that the others do not wait for it.
    pub fn withdraw(&self) {
        self.count();
    }

    /// Counts this CPU as back from its timed call, also if it made none.
    pub fn come_back(&self) {
        self.running.fetch_sub(1, Ordering::AcqRel);
    }

    /// Waits until every CPU is back from its timed call, so that what follows disturbs none. Returns whether all are;
    /// gives up after `timeout_us`.
    pub fn await_all_back(&self, clock: &Clock, timeout_us: u64) -> bool {
        let limit = tsc::read().saturating_add(clock.cycles(timeout_us));
        while self.running.load(Ordering::Acquire) != 0 {
            if tsc::read() >= limit {
                return false;
            }
            (0..LOOKS).for_each(|_| hint::spin_loop());
        }
        true
    }

    /// The common start, if there is one.
    #[must_use]
    pub fn start_tsc(&self) -> Option<u64> {
        Some(self.start_tsc.load(Ordering::Acquire)).filter(|&start| start != 0 && start != ABORTED)
    }

    /// When the last CPU arrived, if there is a start. To be read after all workers are done.
    #[must_use]
    pub fn warm(&self) -> Option<Mark> {
        let (tsc, count) = (self.warm_tsc.load(Ordering::Acquire), self.warm_count.load(Ordering::Acquire));
        self.start_tsc().map(|_| Mark { tsc, count })
    }

    fn count(&self) {
        self.missing.fetch_sub(1, Ordering::AcqRel);
    }

    /// Decides the start. The first decision stands; returns whether this is the first.
    fn settle(&self, start: u64) -> bool {
        self.start_tsc.compare_exchange(0, start, Ordering::AcqRel, Ordering::Acquire).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE_US: u64 = 10_000_000;

    fn mark() -> Mark {
        Mark::take(|| 7)
    }

    #[test]
    fn all_that_arrive_get_one_start_in_the_future() {
        let rendezvous = Rendezvous::new(3);
        let before = tsc::read();
        let starts = std::thread::scope(|scope| {
            let arrive = || rendezvous.arrive(&Clock::AT_MOST, PATIENCE_US, mark);
            let others = [(); 2].map(|()| scope.spawn(arrive));
            rendezvous.withdraw();
            others.map(|other| other.join().unwrap())
        });
        assert!(starts[0].is_some_and(|start| start > before));
        let warm = rendezvous.warm().unwrap();
        assert!(before <= warm.tsc && Some(warm.tsc + Clock::AT_MOST.cycles(LEAD_US)) == starts[0]);
        assert_eq!(warm.count, 7);
        assert_eq!(starts, [rendezvous.start_tsc(); 2]);
    }

    #[test]
    fn what_follows_the_timed_calls_waits_for_all_of_them() {
        let rendezvous = Rendezvous::new(2);
        rendezvous.come_back();
        assert!(!rendezvous.await_all_back(&Clock::AT_MOST, 100), "one is out");
        rendezvous.come_back();
        assert!(rendezvous.await_all_back(&Clock::AT_MOST, PATIENCE_US));
    }

    #[test]
    fn none_starts_if_one_does_not_arrive() {
        let rendezvous = Rendezvous::new(2);
        assert_eq!(rendezvous.arrive(&Clock::AT_MOST, 100, mark), None);
        assert_eq!((rendezvous.start_tsc(), rendezvous.warm()), (None, None));
        assert_eq!(rendezvous.arrive(&Clock::AT_MOST, PATIENCE_US, mark), None, "the first decision stands");
    }
}
