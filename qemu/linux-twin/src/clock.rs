//! Time: the TSC, and Linux's clocks.

use std::time::Duration;

use abi::wire::record::TscSource;
use harness::clock::{Mark, Reading, stated};
use rustix::time::{ClockId, clock_gettime};

use crate::linux::log;

/// How long the TSC is counted against Linux's clock at least, in ns.
const WINDOW_NS: u64 = 20_000_000;
/// Linux's time since it began to count it, in ns.
#[must_use]
pub fn monotonic_ns() -> u64 {
    ns(ClockId::Monotonic)
}

/// CLOCK_MONOTONIC_RAW, in ns.
#[must_use]
pub fn raw_ns() -> u64 {
    ns(ClockId::MonotonicRaw)
}

fn ns(clock: ClockId) -> u64 {
    let now = clock_gettime(clock);
    let (seconds, ns) = (u64::try_from(now.tv_sec).unwrap_or(0), u64::try_from(now.tv_nsec).unwrap_or(0));
    seconds * 1_000_000_000 + ns
}

/// The TSC and CLOCK_MONOTONIC_RAW at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Stamp(Mark);

impl Stamp {
    /// The present moment.
    #[must_use]
    pub fn take() -> Self {
        Self(Mark::take(raw_ns))
    }

    /// The TSC.
    #[must_use]
    pub const fn tsc(&self) -> u64 {
        self.0.tsc
    }

    /// How long Linux has counted time, in microseconds.
    #[must_use]
    pub const fn since_boot_us(&self) -> u64 {
        self.0.count / 1_000
    }

    /// The frequency between this moment and `later`, in kHz; `None` if no time passed.
    #[must_use]
    pub fn khz_until(&self, later: &Self) -> Option<u64> {
        let cycles = u128::from(later.0.tsc.checked_sub(self.0.tsc)?) * 1_000_000;
        u64::try_from(cycles.checked_div(u128::from(later.0.count.checked_sub(self.0.count)?))?).ok()
    }
}

/// Every source's reading: what CPUID states, Linux's calibration at boot, and a count of our own since `first`.
#[must_use]
pub fn readings(first: &Stamp, log: Option<&str>) -> Vec<Reading> {
    let mut readings = stated();
    let linux = log.and_then(log::tsc_khz);
    readings.extend(linux.map(|khz| Reading { source: TscSource::Linux, khz }));
    let past_ns = raw_ns().saturating_sub(first.0.count);
    std::thread::sleep(Duration::from_nanos(WINDOW_NS.saturating_sub(past_ns)));
    let counted = first.khz_until(&Stamp::take());
    readings.extend(counted.map(|khz| Reading { source: TscSource::ClockMonotonic, khz }));
    readings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn works_out_a_frequency_from_two_moments() {
        let at = |tsc, count| Stamp(Mark { tsc, count });
        assert_eq!(at(1_000, 500).khz_until(&at(63_001_000, 30_000_500)), Some(2_100_000));
        assert_eq!(at(1_000, 500).khz_until(&at(2_000, 500)), None);
        assert_eq!(at(1_000, 500).khz_until(&at(999, 600)), None);
    }
}
