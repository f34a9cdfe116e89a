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
    /// When the last CPU arrived. Written once there is a start, and read when all workers are done.
    warm: Moment,
    /// When the last CPU was back. Written by it, and read when all workers are done.
    back: Moment,
}

/// A moment on both clocks, written once by one CPU.
struct Moment {
    tsc: AtomicU64,
    count: AtomicU64,
}

impl Moment {
    const fn unknown() -> Self {
        Self { tsc: AtomicU64::new(0), count: AtomicU64::new(0) }
    }

    fn set(&self, Mark { tsc, count }: Mark) {
        self.count.store(count, Ordering::Relaxed);
        self.tsc.store(tsc, Ordering::Release);
    }

    /// The moment; `None` if none was written.
    fn get(&self) -> Option<Mark> {
        let tsc = Some(self.tsc.load(Ordering::Acquire)).filter(|&tsc| tsc != 0)?;
        Some(Mark { tsc, count: self.count.load(Ordering::Relaxed) })
    }
}

impl Rendezvous {
    /// A rendezvous of `expected` CPUs.
    #[must_use]
    pub const fn new(expected: u32) -> Self {
        Self {
            missing: AtomicU32::new(expected),
            running: AtomicU32::new(expected),
            start_tsc: AtomicU64::new(0),
            warm: Moment::unknown(),
            back: Moment::unknown(),
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
                    self.warm.set(warm);
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

    /// Counts this CPU as back from its timed call, also if it made none. The last one reads both clocks by `mark`.
    pub fn come_back(&self, mark: impl Fn() -> Mark) {
        if self.running.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.back.set(mark());
        }
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
        self.start_tsc().and_then(|_| self.warm.get())
    }

    /// When the last CPU was back, if all are. To be read after all workers are done.
    #[must_use]
    pub fn back(&self) -> Option<Mark> {
        self.back.get()
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
        rendezvous.come_back(mark);
        assert!(!rendezvous.await_all_back(&Clock::AT_MOST, 100), "one is out");
        assert_eq!(rendezvous.back(), None);
        let before = tsc::read();
        rendezvous.come_back(mark);
        assert!(rendezvous.await_all_back(&Clock::AT_MOST, PATIENCE_US));
        assert!(
            rendezvous.back().is_some_and(|back| back.tsc > before && back.count == 7),
            "by the last one"
        );
    }

    #[test]
    fn none_starts_if_one_does_not_arrive() {
        let rendezvous = Rendezvous::new(2);
        assert_eq!(rendezvous.arrive(&Clock::AT_MOST, 100, mark), None);
        assert_eq!((rendezvous.start_tsc(), rendezvous.warm()), (None, None));
        assert_eq!(rendezvous.arrive(&Clock::AT_MOST, PATIENCE_US, mark), None, "the first decision stands");
    }
}
