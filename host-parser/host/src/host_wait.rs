//! Waiting for the host: a run begins when the CPUs that it is about to get are as quick as they have been in the session,
//! or when it was waited for long enough.
//!
//! On a host whose cores are shared a neighbour comes and goes within seconds, and a run that begins beside one is set
//! aside. What is looked at is the host's own CPUs, before there is anything to measure. Whether a run counts is still told
//! by what was seen in it and beside it, and by nothing that is seen here.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use abi::pace::fill;

use crate::{CancelToken, CpuSet, HostTopology};

/// How long is waited for a run. A neighbour that stays longer is there for the runs, too.
const LONGEST: Duration = Duration::from_secs(3);
/// How many looks in a row must be quick, and how long it is from one to the next: a neighbour that comes and goes within
/// milliseconds is there between them.
const LOOKS: usize = 3;
const BETWEEN: Duration = Duration::from_millis(15);
/// What a look does, so often: about a millisecond's worth.
const FILLS: u32 = 8_000;

/// Whether the last of some times, which are in the order in which they were taken, is as quick as they have been.
type IsQuick = fn(&[f64]) -> bool;

/// How quick the host's CPUs have been.
pub struct HostWait {
    available: CpuSet,
    /// How many cores they are.
    cores: u16,
    /// How long looks took, in the order in which they were made.
    seen: RefCell<Vec<f64>>,
    is_quick: IsQuick,
}

impl HostWait {
    /// Nothing is known yet of these CPUs, which are so many cores.
    pub const fn new(available: CpuSet, cores: u16, is_quick: IsQuick) -> Self {
        Self { available, cores, seen: RefCell::new(Vec::new()), is_quick }
    }

    /// Waits until the CPUs of a case are quick; how long that was. A case with more CPUs than there are cores shows no
    /// speed, and is not waited for.
    pub fn wait(&self, case: u16, cancel: &CancelToken) -> Duration {
        let begun = Instant::now();
        if case > self.cores {
            return Duration::ZERO;
        }
        let cpus = HostTopology::here().spread_workers(&self.available, case);
        let mut quick = 0;
        while quick < LOOKS && begun.elapsed() < LONGEST && !cancel.is_cancelled() {
            // One after the other: what they give together, a guest shows.
            let all = cpus.iter().all(|&cpu| look(cpu).is_none_or(|took| self.is_quick(took)));
            quick = if all { quick + 1 } else { 0 };
            if quick < LOOKS {
                thread::sleep(BETWEEN);
            }
        }
        begun.elapsed()
    }

    /// The same for all cores together.
    pub fn wait_for_all(&self, cancel: &CancelToken) -> Duration {
        self.wait(self.cores, cancel)
    }

    /// Whether a look was as quick as looks have been, and keeps it.
    fn is_quick(&self, took: f64) -> bool {
        let mut seen = self.seen.borrow_mut();
        seen.push(took);
        (self.is_quick)(&seen)
    }
}

/// How long some work takes on a host CPU, in seconds; none where this thread cannot get there.
fn look(cpu: usize) -> Option<f64> {
    let there: CpuSet = cpu.to_string().parse().ok()?;
    let work = || {
        let begun = Instant::now();
        (0..FILLS).for_each(|_| fill());
        begun.elapsed().as_secs_f64()
    };
    there.confine(work).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At most a tenth over the quickest.
    fn is_quick(times: &[f64]) -> bool {
        let least = times.iter().copied().reduce(f64::min);
        times.last().zip(least).is_none_or(|(last, least)| *last <= least * 1.1)
    }

    fn calm() -> HostWait {
        let allowed = CpuSet::allowed().unwrap();
        let cores = HostTopology::here().core_count(&allowed);
        HostWait::new(allowed, cores, is_quick)
    }

    #[test]
    fn what_is_slower_than_it_has_been_is_not_quick() {
        let calm = calm();
        assert!([1.0, 1.02, 1.05].into_iter().all(|took| calm.is_quick(took)));
        assert!(!calm.is_quick(1.2) && calm.is_quick(1.01));
        // What was once quick stays the measure.
        assert!((0..50).all(|_| !calm.is_quick(1.8)));
    }

    #[test]
    fn is_not_waited_for_longer_than_agreed_and_not_where_it_is_of_no_use() {
        let (calm, cancel) = (calm(), CancelToken::new().unwrap());
        // Quicker than anything that runs.
        calm.seen.borrow_mut().extend([1e-9; 8]);
        assert!(calm.wait(1, &cancel) >= LONGEST);
        assert_eq!(calm.wait(calm.cores + 1, &cancel), Duration::ZERO);
        cancel.cancel();
        assert!(calm.wait(1, &cancel) < LONGEST);
    }

    #[test]
    fn a_look_takes_about_a_millisecond() {
        let cpu = CpuSet::allowed().unwrap().iter().next().unwrap();
        assert!((1e-5..0.2).contains(&look(cpu).unwrap()));
        assert_eq!(look(9_999), None);
    }
}
