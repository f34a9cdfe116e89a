//! Time. The TSC is the only clock: [`Choice`] settles its frequency, and [`Clock`] turns cycles into microseconds and
//! back. Every bounded wait of both systems goes through it.

mod choice;
mod mark;
mod stated;

use core::hint;

use abi::wire::record::TscSource;

pub use choice::{Choice, Reading, is_plausible};
pub use mark::Mark;
pub use stated::stated;

use crate::x86::tsc;

/// The TSC with its frequency.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    khz: u64,
    /// The source of the frequency.
    pub source: TscSource,
}

impl Clock {
    /// For waits before the frequency is known. No CPU's TSC is faster, so no such wait is too short.
    pub const AT_MOST: Self = Self { khz: 6_000_000, source: TscSource::Rtc };

    /// The clock that `choice` makes.
    #[must_use]
    pub const fn of(choice: &Choice) -> Self {
        Self { khz: choice.khz, source: choice.source }
    }

    /// The TSC's frequency, in kHz.
    #[must_use]
    pub const fn khz(&self) -> u64 {
        self.khz
    }

    /// The cycles in `us` microseconds.
    #[must_use]
    pub fn cycles(&self, us: u64) -> u64 {
        abi::tsc::cycles(us, self.khz)
    }

    /// The microseconds in `cycles`.
    #[must_use]
    pub fn micros(&self, cycles: u64) -> u64 {
        let micros = u128::from(cycles) * 1000 / u128::from(self.khz);
        u64::try_from(micros).unwrap_or(u64::MAX)
    }

    /// Spins for `us` microseconds.
    pub fn spin_us(&self, us: u64) {
        self.spin_until(us, || false);
    }

    /// Spins until `done`, for at most `us` microseconds. Returns whether `done` came true.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_cycles_into_microseconds_and_back() {
        let clock = Clock { khz: 2_100_000, source: TscSource::Hpet };
        assert_eq!(clock.cycles(1_000), 2_100_000);
        assert_eq!(clock.micros(2_100_000), 1_000);
        assert_eq!(clock.cycles(u64::MAX), u64::MAX);
    }

    #[test]
    fn a_spin_ends_by_its_condition_or_by_its_bound() {
        assert!(Clock::AT_MOST.spin_until(u64::MAX, || true));
        assert!(!Clock::AT_MOST.spin_until(10, || false));
    }
}
