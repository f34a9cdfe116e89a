//! The machine's clock: it reads the TSC's frequency from several sources that check each other, and measures the local
//! APIC's timer against the TSC. Conversions and bounded spins are `harness::clock`'s.

mod hyper_v;
mod kvmclock;
mod reference;
mod rtc;
mod second;
mod sources;

use harness::clock::{Choice, Clock, Mark};
use spin::Once;

pub use kvmclock::from_scale;
pub use second::SecondClock;
pub use sources::{Devices, Place, PmTimer, readings};

use crate::x86::apic;

/// How long the local APIC's timer is counted for, in microseconds.
const TIMER_CALIBRATION_US: u64 = 2_000;

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
    /// Settles the TSC's frequency and measures the local APIC's timer against it.
    pub fn start(choice: &Choice, second: SecondClock) -> &'static Self {
        let tsc = Clock::of(choice);
        apic::start_count();
        let begin = Mark::take(timer_count);
        tsc.spin_us(TIMER_CALIBRATION_US);
        let end = Mark::take(timer_count);
        let (counted, cycles) = (end.count.saturating_sub(begin.count), end.tsc.saturating_sub(begin.tsc));
        apic::set_timer(0);
        CLOCK.call_once(|| Self { tsc, timer_per_mcycle: (counted << 20) / cycles.max(1), second })
    }

    /// The TSC and the second clock now; a count of 0 without a second clock.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::take(|| self.second.now())
    }

    /// Whether the local APIC's timer counts at all. Without it no halt ends, and no worker is stopped.
    #[must_use]
    pub const fn has_timer(&self) -> bool {
        self.timer_per_mcycle > 0
    }

    /// The local APIC timer's ticks in `us` microseconds: at least one, at most what the timer can count.
    #[must_use]
    pub fn timer_ticks(&self, us: u64) -> u32 {
        let ticks = (u128::from(self.tsc.cycles(us)) * u128::from(self.timer_per_mcycle)) >> 20;
        u32::try_from(ticks.max(1)).unwrap_or(u32::MAX)
    }
}

fn timer_count() -> u64 {
    u64::from(apic::counted())
}
