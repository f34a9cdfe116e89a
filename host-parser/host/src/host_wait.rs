//! The wait for the host: a run begins when the CPUs that it will get run at the session's baseline pace, or after the
//! longest wait.
//!
//! On a host with shared cores, other load comes and goes within seconds, and a run that starts beside it is likely to be
//! excluded. The wait samples the host's CPUs before the run starts. It is no evidence: only measurements during and
//! beside the run decide whether the run counts.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use abi::pace::fill;

use crate::{CancelToken, CpuSet, HostTopology};

/// The longest wait before a run. Load that stays longer will be there during the run too.
const LONGEST: Duration = Duration::from_secs(3);
/// How many samples in a row must be at the baseline.
const SAMPLES: usize = 3;
/// The pause between samples, long enough to catch load that comes and goes within milliseconds.
const PAUSE: Duration = Duration::from_millis(15);
/// The work of one sample, in calls of [`fill`]: about a millisecond.
const FILLS: u32 = 8_000;

/// Whether the last of these times, which are in the order of measurement, is at their baseline.
type IsAtBaseline = fn(&[f64]) -> bool;

/// Waits until the host's CPUs are at their baseline pace.
pub struct HostWait {
    available: CpuSet,
    /// The number of cores among the available CPUs.
    cores: u16,
    /// The samples' times in seconds, in the order of measurement.
    times: RefCell<Vec<f64>>,
    is_at_baseline: IsAtBaseline,
}

impl HostWait {
    /// A wait for CPUs of `available`, which has `cores` cores. No sample has been taken yet.
    pub const fn new(available: CpuSet, cores: u16, is_at_baseline: IsAtBaseline) -> Self {
        Self { available, cores, times: RefCell::new(Vec::new()), is_at_baseline }
    }

    /// Waits until the CPUs of a case are at their baseline pace, and returns how long it waited. Returns at once for a
    /// case with more CPUs than cores: that case is functional only.
    pub fn wait(&self, case: u16, cancel: &CancelToken) -> Duration {
        let begun = Instant::now();
        if case > self.cores {
            return Duration::ZERO;
        }
        let cpus = HostTopology::here().spread_workers(&self.available, case);
        let mut in_a_row = 0;
        while in_a_row < SAMPLES && begun.elapsed() < LONGEST && !cancel.is_cancelled() {
            // One CPU after the other: the guest itself shows how fast they are together.
            let all = cpus.iter().all(|&cpu| sample(cpu).is_none_or(|took| self.is_at_baseline(took)));
            in_a_row = if all { in_a_row + 1 } else { 0 };
            if in_a_row < SAMPLES {
                thread::sleep(PAUSE);
            }
        }
        begun.elapsed()
    }

    /// As [`HostWait::wait`], for one CPU of every core.
    pub fn wait_for_all(&self, cancel: &CancelToken) -> Duration {
        self.wait(self.cores, cancel)
    }

    /// Adds a sample's time, and returns whether it is at the baseline.
    fn is_at_baseline(&self, took: f64) -> bool {
        let mut times = self.times.borrow_mut();
        times.push(took);
        (self.is_at_baseline)(&times)
    }
}

/// The time that the work of one sample takes on a host CPU, in seconds; `None` if this thread may not run there.
fn sample(cpu: usize) -> Option<f64> {
    let there: CpuSet = cpu.to_string().parse().ok()?;
    there.confine(time_work).ok()
}

/// Does the work of one sample, and returns its time in seconds.
fn time_work() -> f64 {
    let begun = Instant::now();
    (0..FILLS).for_each(|_| fill());
    begun.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At most a tenth above the shortest time.
    fn is_near_the_shortest(times: &[f64]) -> bool {
        let least = times.iter().copied().reduce(f64::min);
        times.last().zip(least).is_none_or(|(last, least)| *last <= least * 1.1)
    }

    fn host_wait() -> HostWait {
        let allowed = CpuSet::allowed().unwrap();
        let cores = HostTopology::here().core_count(&allowed);
        HostWait::new(allowed, cores, is_near_the_shortest)
    }

    #[test]
    fn a_sample_slower_than_the_earlier_ones_is_not_at_the_baseline() {
        let wait = host_wait();
        assert!([1.0, 1.02, 1.05].into_iter().all(|took| wait.is_at_baseline(took)));
        assert!(!wait.is_at_baseline(1.2) && wait.is_at_baseline(1.01));
        // Slow samples, however many, do not raise the baseline.
        assert!((0..50).all(|_| !wait.is_at_baseline(1.8)));
    }

    #[test]
    fn the_wait_is_bounded_and_skipped_for_a_functional_only_case() {
        let (wait, cancel) = (host_wait(), CancelToken::new().unwrap());
        // Shorter than any sample can be.
        wait.times.borrow_mut().extend([1e-9; 8]);
        assert!(wait.wait(1, &cancel) >= LONGEST);
        assert_eq!(wait.wait(wait.cores + 1, &cancel), Duration::ZERO);
        cancel.cancel();
        assert!(wait.wait(1, &cancel) < LONGEST);
    }

    #[test]
    fn a_sample_takes_about_a_millisecond() {
        let cpu = CpuSet::allowed().unwrap().iter().next().unwrap();
        assert!((1e-5..0.2).contains(&sample(cpu).unwrap()));
        assert_eq!(sample(9_999), None);
    }
}
