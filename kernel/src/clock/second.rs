//! The second clock: a counter of the platform that is read beside the TSC in every iteration, so that a TSC which
//! changes its rate, or a kernel that reports other times than it read, shows.

use abi::wire::record::{KvmclockState, SecondClock as SecondClockRecord, SecondSource};

use harness::clock::Mark;
use harness::x86::cpuid::kvm_features;
use x86_64::structures::paging::PhysFrame;

use super::kvmclock::KvmClock;
use super::reference::Counter;
use super::rtc;
use super::sources::{Hpet, PmTimer};

/// The counter that is read beside the TSC. Any CPU may read it at any time.
#[derive(Clone, Copy, Debug)]
pub enum SecondClock {
    /// The HPET's main counter.
    Hpet(Hpet),
    /// The ACPI power-management timer.
    PmTimer(PmTimer),
    /// KVM's paravirtual clock. It is the TSC, scaled by what the host states: it shows a wrong frequency.
    Kvmclock(KvmClock),
    /// The seconds of the real-time clock.
    Rtc,
    /// None: the times rest on the TSC alone.
    None,
}

impl SecondClock {
    /// This clock, or if it is none, the best of those that are no devices with a counter: KVM's, which needs `page` from
    /// then on, or the real-time clock.
    #[must_use]
    pub fn or_other(self, page: impl FnOnce() -> Option<PhysFrame>) -> Self {
        match self {
            Self::None => {
                let kvmclock = kvm_features().and_then(|_| page()).and_then(KvmClock::start);
                kvmclock.map(Self::Kvmclock).or(rtc::since_1970().map(|_| Self::Rtc)).unwrap_or(Self::None)
            }
            other => other,
        }
    }

    /// The TSC and this clock now; a count of 0 without a counter.
    #[must_use]
    pub fn mark(&self) -> Mark {
        match self {
            Self::Rtc => Mark::once(rtc::count),
            _ => Mark::take(|| self.now()),
        }
    }

    /// The count now; 0 without a counter.
    #[must_use]
    pub fn now(&self) -> u64 {
        match self {
            Self::Kvmclock(kvmclock) => kvmclock.now(),
            Self::Rtc => rtc::count(),
            Self::Hpet(_) | Self::PmTimer(_) | Self::None => self.counter().map_or(0, Counter::now),
        }
    }

    /// The record that describes it.
    #[must_use]
    pub fn record(&self) -> SecondClockRecord {
        let source = match self {
            Self::Hpet(_) => SecondSource::Hpet,
            Self::PmTimer(_) => SecondSource::PmTimer,
            Self::Kvmclock(_) => SecondSource::Kvmclock,
            Self::Rtc => SecondSource::Rtc,
            Self::None => SecondSource::None,
        };
        let (hz, mask) = match self {
            Self::Kvmclock(_) => (1_000_000_000, u64::MAX),
            Self::Rtc => (1, u64::MAX),
            _ => self.counter().map_or((0, 0), |counter| (counter.hz(), counter.mask())),
        };
        let bits = u16::try_from(mask.count_ones()).unwrap_or(0);
        let independent = matches!(source, SecondSource::Hpet | SecondSource::PmTimer | SecondSource::Rtc);
        SecondClockRecord { source, hz, bits, independent }
    }

    /// What KVM's clock says of a pause, if it is this one.
    #[must_use]
    pub fn kvmclock(&self) -> KvmclockState {
        match self {
            Self::Kvmclock(kvmclock) if kvmclock.was_stopped() => KvmclockState::Stopped,
            Self::Kvmclock(_) => KvmclockState::Running,
            Self::Hpet(_) | Self::PmTimer(_) | Self::Rtc | Self::None => KvmclockState::None,
        }
    }

    fn counter(&self) -> Option<&dyn Counter> {
        match self {
            Self::Hpet(hpet) => Some(hpet),
            Self::PmTimer(pm_timer) => Some(pm_timer),
            Self::Kvmclock(_) | Self::Rtc | Self::None => None,
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
    fn a_clock_that_is_there_stays_and_takes_no_page() {
        let pm_timer = SecondClock::PmTimer(PmTimer { place: Place::Port(0x608), wide: false });
        let kept = pm_timer.or_other(|| panic!("no page is needed"));
        assert_eq!(kept.record().source, SecondSource::PmTimer);
    }

    #[test]
    fn states_what_the_real_time_clock_is() {
        let record = SecondClock::Rtc.record();
        assert_eq!((record.source, record.hz, record.bits), (SecondSource::Rtc, 1, 64));
        assert!(record.independent);
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
