//! Whether L1's clock is right. Linux finds the frequency of L1's TSC once, at its start, and on a busy host it was seen
//! to find a third of it: deadlines then pass early, and no guest of L1 is to blame.
//!
//! QEMU takes L1's real-time clock from the host's, so the two must go on alike.

use std::fs;
use std::time::{Duration, Instant};

use l1_init::Said;

/// The real-time clock, in whole seconds (Linux, Documentation/ABI/testing/sysfs-class-rtc).
const RTC: &str = "/sys/class/rtc/rtc0/since_epoch";
/// How far apart the clocks may be at any time: each reading is good to a second, and may come late.
const SLACK: Duration = Duration::from_secs(3);
/// How much of the time that has passed they may differ by besides: 1 / 20. A wrong frequency was seen to be wrong by 3.
const SHARE: u32 = 20;

/// Both clocks when the program began; `None` if L1 has no real-time clock.
pub struct Clock(Option<Start>);

struct Start {
    rtc_seconds: u64,
    at: Instant,
}

impl Clock {
    /// Begins to compare.
    pub fn begin() -> Self {
        Self(rtc_seconds().map(|rtc_seconds| Start { rtc_seconds, at: Instant::now() }))
    }

    /// What there is to say if they have moved apart.
    pub fn check(&self) -> Option<Said> {
        let Start { rtc_seconds: begin, at } = self.0.as_ref()?;
        let passed = Duration::from_secs(rtc_seconds()?.checked_sub(*begin)?);
        apart(at.elapsed(), passed).then(|| Said::WrongClock(at.elapsed().as_secs(), passed.as_secs()))
    }
}

fn rtc_seconds() -> Option<u64> {
    fs::read_to_string(RTC).ok()?.trim().parse().ok()
}

fn apart(clock: Duration, rtc: Duration) -> bool {
    clock.abs_diff(rtc) > SLACK + rtc.max(clock) / SHARE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_wrong_if_it_runs_faster_or_slower_than_the_real_time_clock() {
        let apart = |clock, rtc| apart(Duration::from_millis(clock), Duration::from_millis(rtc));
        assert!(!apart(0, 0) && !apart(900, 0) && !apart(5_000, 7_000) && !apart(100_900, 100_000));
        assert!(apart(15_000, 5_000) && apart(5_000, 15_000) && apart(120_000, 110_000));
    }
}
