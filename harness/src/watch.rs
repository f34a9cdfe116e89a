//! The watch over a worker's timed call: a timer that interrupts its CPU at long intervals, and how late it came. See
//! `abi::watch`.

use abi::watch::WATCH_US;

use crate::clock::Clock;

/// What the watch has seen.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// How often the timer has come.
    pub count: u32,
    /// The most by which it came late, in cycles.
    pub late: u64,
}

/// A running watch, which also ends a call that takes too long.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Watch {
    /// From one interrupt to the next, in cycles.
    period: u64,
    /// The TSC at which the next interrupt is due.
    due: u64,
    /// The TSC at which the call has taken too long.
    limit: u64,
    seen: Seen,
}

impl Watch {
    /// A watch that begins at the TSC value `now`, over a call that may take `timeout_us`.
    #[must_use]
    pub fn begin(now: u64, clock: &Clock, timeout_us: u64) -> Self {
        let (period, limit) = (clock.cycles(WATCH_US), now.saturating_add(clock.cycles(timeout_us)));
        Self { period, due: now.saturating_add(period), limit, seen: Seen::default() }
    }

    /// From the TSC value `now` until the timer must come, in cycles: at the time-out, or to watch.
    #[must_use]
    pub fn wait(&self, now: u64) -> u64 {
        self.due.min(self.limit).saturating_sub(now)
    }

    /// The timer has come at the TSC value `now`. Returns whether the call may go on; then the timer must be set again.
    pub fn comes(&mut self, now: u64) -> bool {
        if now >= self.limit {
            return false;
        }
        // A timer whose rate was measured may come a little early.
        self.seen.count = self.seen.count.saturating_add(1);
        self.seen.late = self.seen.late.max(now.saturating_sub(self.due));
        self.due = now.saturating_add(self.period);
        true
    }

    /// What it has seen.
    #[must_use]
    pub const fn seen(&self) -> Seen {
        self.seen
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Choice;
    use abi::wire::record::TscSource;

    const PERIOD: u64 = WATCH_US * 1_000;

    fn watch(timeout_us: u64) -> Watch {
        let choice = Choice { source: TscSource::Hpet, khz: 1_000_000, sources: 1, spread_ppm: 0 };
        Watch::begin(100, &Clock::of(&choice), timeout_us)
    }

    #[test]
    fn counts_the_interrupts_and_keeps_the_latest() {
        let mut watch = watch(10_000_000);
        assert_eq!(watch.wait(100), PERIOD);
        assert!(watch.comes(100 + PERIOD + 7));
        assert_eq!(watch.wait(100 + PERIOD + 7), PERIOD);
        // Two seconds late, and then a little early.
        assert!(watch.comes(107 + 2 * PERIOD + 2_000_000_000));
        assert!(watch.comes(106 + 3 * PERIOD + 2_000_000_000));
        assert_eq!(watch.seen(), Seen { count: 3, late: 2_000_000_000 });
    }

    #[test]
    fn ends_a_call_that_takes_too_long() {
        let mut watch = watch(300_000);
        assert!(watch.comes(100 + PERIOD));
        assert_eq!(watch.wait(100 + PERIOD), 50_000_000);
        assert!(!watch.comes(100 + 300_000_000));
        assert_eq!(watch.seen(), Seen { count: 1, late: 0 });
        assert_eq!(watch.wait(u64::MAX), 0);
    }
}
