//! Time. The TSC is the only clock; this module finds its frequency, from several sources that check each other, and
//! turns microseconds into cycles. Every wait in the kernel is bounded through it.

mod choose;
mod kvmclock;
mod reference;
mod rtc;
mod sources;

use core::hint;

use abi::wire::record::TscSource;
use spin::Once;

pub use choose::{Choice, Reading};
pub use kvmclock::{from_scale, is_kvm};
pub use sources::{Devices, readings, stated};

use self::reference::Stamp;
use crate::x86::{apic, tsc};

/// How long the local APIC's timer is counted for.
const TIMER_CALIBRATION_US: u64 = 2_000;

/// The clock in use.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    khz: u64,
    /// The source of the frequency.
    pub source: TscSource,
    /// Local APIC timer ticks in 2^20 TSC cycles.
    timer_per_mcycle: u64,
}

static CLOCK: Once<Clock> = Once::new();

/// The clock; `None` before [`Clock::start`].
#[must_use]
pub fn get() -> Option<&'static Clock> {
    CLOCK.get()
}

impl Clock {
    /// For waits where the frequency is not known: no CPU's TSC is faster, so none is shorter than it should be.
    pub const AT_MOST: Self = Self { khz: 6_000_000, source: TscSource::Rtc, timer_per_mcycle: 0 };

    /// The clock that `choice` makes, without a timer.
    #[must_use]
    pub const fn of(choice: &Choice) -> Self {
        Self { khz: choice.khz, source: choice.source, timer_per_mcycle: 0 }
    }

    /// Settles the TSC's frequency and measures the local APIC's timer against it.
    pub fn start(choice: &Choice) -> &'static Self {
        let mut clock = Self::of(choice);
        apic::start_count();
        let count = || u64::from(apic::counted());
        let begin = Stamp::take(count);
        clock.spin_us(TIMER_CALIBRATION_US);
        let end = Stamp::take(count);
        let (counted, cycles) = (end.count.saturating_sub(begin.count), end.tsc.saturating_sub(begin.tsc));
        clock.timer_per_mcycle = (counted << 20) / cycles.max(1);
        apic::set_timer(0);
        CLOCK.call_once(|| clock)
    }

    /// The TSC's frequency.
    #[must_use]
    pub const fn khz(&self) -> u64 {
        self.khz
    }

    /// The cycles in some microseconds.
    #[must_use]
    pub fn cycles(&self, us: u64) -> u64 {
        let cycles = u128::from(us) * u128::from(self.khz) / 1000;
        u64::try_from(cycles).unwrap_or(u64::MAX)
    }

    /// The microseconds in some cycles.
    #[must_use]
    pub fn micros(&self, cycles: u64) -> u64 {
        let micros = u128::from(cycles) * 1000 / u128::from(self.khz);
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    /// Whether the local APIC's timer counts at all: without it no halt ends, and no worker is stopped.
    #[must_use]
    pub const fn has_timer(&self) -> bool {
        self.timer_per_mcycle > 0
    }

    /// The local APIC timer's ticks in some cycles: at least one, at most what the timer can count.
    #[must_use]
    pub fn timer_counts(&self, cycles: u64) -> u32 {
        let counts = (u128::from(cycles) * u128::from(self.timer_per_mcycle)) >> 20;
        u32::try_from(counts.max(1)).unwrap_or(u32::MAX)
    }

    /// Spins for some microseconds.
    pub fn spin_us(&self, us: u64) {
        self.spin_until(us, || false);
    }

    /// Spins until `done`, for at most `us` microseconds; says whether it came true.
    pub fn spin_until(&self, us: u64, done: impl Fn() -> bool) -> bool {
        let deadline = tsc::read().saturating_add(self.cycles(us));
        while !done() {
            if tsc::read() >= deadline {
                return done();
            }
            hint::spin_loop();
        }
        true
    }
}
