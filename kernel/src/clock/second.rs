//! The second clock: a counter of the platform that is read beside the TSC in every iteration, so that a TSC which
//! changes its rate, or a kernel that reports other times than it read, shows.

use abi::wire::record::{SecondClock as SecondClockRecord, SecondSource};

use super::reference::Counter;
use super::sources::{Hpet, PmTimer};

/// The counter that is read beside the TSC. Any CPU may read it at any time.
#[derive(Clone, Copy, Debug)]
pub enum SecondClock {
    /// The HPET's main counter.
    Hpet(Hpet),
    /// The ACPI power-management timer.
    PmTimer(PmTimer),
    /// None: the times rest on the TSC alone.
    None,
}

impl SecondClock {
    /// The count now; 0 without a counter.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.counter().map_or(0, Counter::now)
    }

    /// The record that describes it.
    #[must_use]
    pub fn record(&self) -> SecondClockRecord {
        let source = match self {
            Self::Hpet(_) => SecondSource::Hpet,
            Self::PmTimer(_) => SecondSource::PmTimer,
            Self::None => SecondSource::None,
        };
        let (hz, mask) = self.counter().map_or((0, 0), |counter| (counter.hz(), counter.mask()));
        let bits = u16::try_from(mask.count_ones()).unwrap_or(0);
        SecondClockRecord { source, hz, bits, independent: source != SecondSource::None }
    }

    fn counter(&self) -> Option<&dyn Counter> {
        match self {
            Self::Hpet(hpet) => Some(hpet),
            Self::PmTimer(pm_timer) => Some(pm_timer),
            Self::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sources::Place;
    use super::*;

    #[test]
    fn describes_a_machine_without_one() {
        let second = SecondClock::None;
        assert_eq!(second.now(), 0);
        let record = second.record();
        assert_eq!((record.source, record.hz, record.bits), (SecondSource::None, 0, 0));
        assert!(!record.independent);
    }

    #[test]
    fn states_rate_and_width_of_the_pm_timer() {
        for (wide, bits) in [(false, 24), (true, 32)] {
            let record = SecondClock::PmTimer(PmTimer { place: Place::Port(0x608), wide }).record();
            assert_eq!((record.source, record.hz, record.bits), (SecondSource::PmTimer, 3_579_545, bits));
            assert!(record.independent);
        }
    }
}
