//! The machine's clock: it reads the TSC's frequency from several sources that check each other, and measures the local
//! APIC's timer against the TSC. Conversions and bounded spins are `harness::clock`'s.

mod hyper_v;
mod kvmclock;
mod reference;
mod rtc;
mod second;
mod sources;

use harness::clock::{Choice, Clock, Mark};
use harness::x86::tsc;
use spin::Once;

pub use kvmclock::from_scale;
pub use second::SecondClock;
pub use sources::{Devices, Place, PmTimer, readings};

use crate::x86::apic;

/// How long the local APIC's timer is counted for at least, in microseconds.
const TIMER_CALIBRATION_US: u64 = 2_000;
/// How long it may be counted for at most: a fast one counts its 2^32 ticks in a second or more.
const TIMER_LONGEST_US: u64 = 100_000;

/// The clock in use: the TSC, and the local APIC's timer.
#[derive(Clone, Copy, Debug)]
pub struct MachineClock {
    /// The TSC.
    pub tsc: Clock,
    /// Local APIC timer ticks in 2^20 TSC cycles.
    timer_per_mcycle: u64,
    /// The counter that is read beside the TSC.
    pub second: SecondClock,
}

static CLOCK: Once<MachineClock> = Once::new();

/// The clock; `None` before [`MachineClock::start`].
#[must_use]
pub fn get() -> Option<&'static MachineClock> {
    CLOCK.get()
}

/// The clock for a bounded wait at any time: before the frequency is known, one by which no wait is too short.
#[must_use]
pub fn for_waits() -> Clock {
    get().map_or(Clock::AT_MOST, |clock| clock.tsc)
}

impl MachineClock {
    /// Settles the TSC's frequency. The local APIC's `timer` has counted while it was measured.
    pub fn start(choice: &Choice, second: SecondClock, timer: TimerCount) -> &'static Self {
        let tsc = Clock::of(choice);
        let timer_per_mcycle = timer.per_mcycle(&tsc);
        CLOCK.call_once(|| Self { tsc, timer_per_mcycle, second })
    }

    /// The TSC and the second clock now; a count of 0 without a second clock.
    #[must_use]
    pub fn mark(&self) -> Mark {
        self.second.mark()
    }

    /// The TSC and the real-time clock now, in seconds; `None` without one.
    #[must_use]
    pub fn seconds(&self) -> Option<Mark> {
        rtc::since_1970().map(|count| Mark { tsc: tsc::read_ordered(), count })
    }

    /// Whether the local APIC's timer counts at all. Without it no halt ends, and no worker is stopped.
    #[must_use]
    pub const fn has_timer(&self) -> bool {
        self.timer_per_mcycle > 0
    }

    /// The local APIC timer's ticks in `us` microseconds: at least one, at most what the timer can count.
    #[must_use]
    pub fn timer_ticks(&self, us: u64) -> u32 {
        self.timer_ticks_of(self.tsc.cycles(us))
    }

    /// Its ticks in `cycles` of the TSC, likewise.
    #[must_use]
    pub fn timer_ticks_of(&self, cycles: u64) -> u32 {
        let ticks = (u128::from(cycles) * u128::from(self.timer_per_mcycle)) >> 20;
        u32::try_from(ticks.max(1)).unwrap_or(u32::MAX)
    }
}

/// A count of the local APIC's timer against the TSC. It needs no frequency, so it runs while that is measured.
#[derive(Clone, Copy, Debug)]
pub struct TimerCount {
    begin: Mark,
}

impl TimerCount {
    /// Starts the count.
    #[must_use]
    pub fn begin() -> Self {
        apic::start_count();
        Self { begin: Mark::take(timer_count) }
    }

    /// The timer's ticks in 2^20 TSC cycles. Stops the timer.
    fn per_mcycle(self, tsc: &Clock) -> u64 {
        let counted_us = |begin: Mark| tsc.micros(tsc::read().saturating_sub(begin.tsc));
        // It has stopped at its end, if the real-time clock was the only source, which takes seconds.
        let Self { begin } = if counted_us(self.begin) > TIMER_LONGEST_US { Self::begin() } else { self };
        tsc.spin_us(TIMER_CALIBRATION_US.saturating_sub(counted_us(begin)));
        let end = Mark::take(timer_count);
        apic::set_timer(0);
        let (counted, cycles) = (end.count.saturating_sub(begin.count), end.tsc.saturating_sub(begin.tsc));
        (counted << 20) / cycles.max(1)
    }
}

fn timer_count() -> u64 {
    u64::from(apic::counted())
}
