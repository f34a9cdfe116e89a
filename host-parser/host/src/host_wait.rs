//! The wait before a run: it begins once its CPUs run undisturbed, or after the longest wait.
//!
//! On a host with shared cores a neighbour comes and goes within seconds, and a run that begins beside one is excluded. The
//! wait samples the host's own CPUs, before anything is measured. Its samples are no evidence: whether a run counts is
//! decided by what was observed during the run and beside it.

use std::cell::RefCell;
use std::thread;
use std::time::{Duration, Instant};

use abi::pace::fill;

use crate::{CancelToken, CpuSet, HostTopology};

/// The longest wait for a run. A neighbour that stays longer is there for the runs, too.
const LONGEST: Duration = Duration::from_secs(3);
/// How many samples in a row must be undisturbed.
const SAMPLES: usize = 3;
/// The time from one to the next: a neighbour that comes and goes within milliseconds is there between them.
const BETWEEN: Duration = Duration::from_millis(15);
/// How often a sample repeats its work: about a millisecond's worth.
const FILLS: u32 = 8_000;

/// Whether the last of some times, in the order in which they were taken, is undisturbed.
type IsUndisturbed = fn(&[f64]) -> bool;

/// Waits for the host's CPUs, and keeps the samples of a session.
pub struct HostWait {
    available: CpuSet,
    /// How many cores the CPUs have.
    cores: u16,
    /// The length of each sample, in seconds, in the order in which they were taken.
    samples: RefCell<Vec<f64>>,
    is_undisturbed: IsUndisturbed,
}

impl HostWait {
    /// For CPUs with so many cores, none of them sampled yet.
    pub const fn new(available: CpuSet, cores: u16, is_undisturbed: IsUndisturbed) -> Self {
        Self { available, cores, samples: RefCell::new(Vec::new()), is_undisturbed }
    }

    /// Waits until the CPUs of a case run undisturbed; returns how long that took. There is no wait for a case with more
    /// CPUs than there are cores, which shows no speed.
    pub fn wait(&self, case: u16, cancel: &CancelToken) -> Duration {
        let begun = Instant::now();
        if case > self.cores {
            return Duration::ZERO;
        }
        let cpus = HostTopology::here().spread_workers(&self.available, case);
        let mut undisturbed = 0;
        while undisturbed < SAMPLES && begun.elapsed() < LONGEST && !cancel.is_cancelled() {
            // One after the other: what they give together, a guest shows.
            let all = cpus.iter().all(|&cpu| sample(cpu).is_none_or(|time| self.add(time)));
            undisturbed = if all { undisturbed + 1 } else { 0 };
            if undisturbed < SAMPLES {
                thread::sleep(BETWEEN);
            }
        }
        begun.elapsed()
    }

    /// The same for all cores together.
    pub fn wait_for_all(&self, cancel: &CancelToken) -> Duration {
        self.wait(self.cores, cancel)
    }

    /// Keeps a sample; whether it is undisturbed.
    fn add(&self, time: f64) -> bool {
        let mut samples = self.samples.borrow_mut();
        samples.push(time);
        (self.is_undisturbed)(&samples)
    }
}

/// The length of some work on a host CPU, in seconds; `None` if this thread may not run there.
fn sample(cpu: usize) -> Option<f64> {
    cpu.to_string().parse::<CpuSet>().ok()?.confine(time_of_work).ok()
}

fn time_of_work() -> f64 {
    let begun = Instant::now();
    (0..FILLS).for_each(|_| fill());
    begun.elapsed().as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// At most a tenth over the quickest.
    fn near_the_least(times: &[f64]) -> bool {
        let least = times.iter().copied().reduce(f64::min);
        times.last().zip(least).is_none_or(|(last, least)| *last <= least * 1.1)
    }

    fn host_wait() -> HostWait {
        let allowed = CpuSet::allowed().unwrap();
        let cores = HostTopology::here().core_count(&allowed);
        HostWait::new(allowed, cores, near_the_least)
    }

    #[test]
    fn what_is_slower_than_it_has_been_is_disturbed() {
        let wait = host_wait();
        assert!([1.0, 1.02, 1.05].into_iter().all(|took| wait.add(took)));
        assert!(!wait.add(1.2) && wait.add(1.01));
        // The baseline stays.
        assert!((0..50).all(|_| !wait.add(1.8)));
    }

    #[test]
    fn does_not_wait_too_long_and_not_for_nothing() {
        let (wait, cancel) = (host_wait(), CancelToken::new().unwrap());
        // Less than any work takes.
        wait.samples.borrow_mut().extend([1e-9; 8]);
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
