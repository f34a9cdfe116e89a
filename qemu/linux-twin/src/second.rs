//! The second clock: in a guest the ACPI power-management timer, as the kernel reads it; else a clock of Linux.
#![expect(unsafe_code, reason = "asks for a port and reads it")]

use std::fs;

use abi::wire::record::{SecondClock as SecondClockRecord, SecondSource, SystemName};
use harness::clock::Mark;
use harness::le;
use harness::x86::port;

use crate::clock;

/// The FADT in sysfs, which root may read.
const FADT: &str = "/sys/firmware/acpi/tables/FACP";
/// Offset of `PM_TMR_BLK`, the port of the PM timer (ACPI 6.5, table 5.9).
const PM_TMR_BLK: usize = 76;
/// Offset of the FADT's flags, and the flag of a timer of 32 bits.
const FLAGS: usize = 112;
const TMR_VAL_EXT: u32 = 1 << 8;
/// The PM timer's rate (ACPI 6.5, section 4.8.2.1).
const PM_TIMER_HZ: u64 = 3_579_545;
/// The clock source that Linux uses itself.
const CLOCKSOURCE: &str = "/sys/devices/system/clocksource/clocksource0/current_clocksource";

/// The counter that is read beside the TSC. Processes that are forked from this one may read it too.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SecondClock {
    /// The PM timer.
    PmTimer {
        /// Its port.
        port: u16,
        /// How many bits it has: 24 or 32.
        bits: u16,
    },
    /// CLOCK_MONOTONIC_RAW.
    Monotonic {
        /// Whether Linux counts it by another counter than the TSC.
        independent: bool,
    },
}

impl SecondClock {
    /// The second clock of this system. Natively the ports are the host's, and are left alone.
    #[must_use]
    pub fn of(system: SystemName) -> Self {
        let guest = system == SystemName::Linux;
        let fadt = if guest { fs::read(FADT).unwrap_or_default() } else { Vec::new() };
        if let Some((port, bits)) = pm_timer(&fadt).filter(|&(port, _)| can_read(port)) {
            return Self::PmTimer { port, bits };
        }
        let source = fs::read_to_string(CLOCKSOURCE).unwrap_or_default();
        Self::Monotonic { independent: is_independent(source.trim()) }
    }

    /// The TSC and this clock now.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark::take(|| self.now())
    }

    /// The record that describes it.
    #[must_use]
    pub const fn record(&self) -> SecondClockRecord {
        match *self {
            Self::PmTimer { bits, .. } => {
                SecondClockRecord { source: SecondSource::PmTimer, hz: PM_TIMER_HZ, bits, independent: true }
            }
            Self::Monotonic { independent } => SecondClockRecord {
                source: SecondSource::ClockMonotonic,
                hz: 1_000_000_000,
                bits: 64,
                independent,
            },
        }
    }

    fn now(&self) -> u64 {
        match *self {
            Self::PmTimer { port, bits } => {
                // SAFETY: Linux has granted the port, and reading the timer has no effect.
                u64::from(unsafe { port::read_u32(port) }) & (u64::MAX >> (64 - u32::from(bits)))
            }
            Self::Monotonic { .. } => clock::raw_ns(),
        }
    }
}

/// The PM timer's port and width by the FADT; `None` without a timer at a port.
fn pm_timer(fadt: &[u8]) -> Option<(u16, u16)> {
    let port = u16::try_from(le::u32_at(fadt, PM_TMR_BLK)?).ok().filter(|&port| port != 0)?;
    let wide = le::u32_at(fadt, FLAGS)? & TMR_VAL_EXT != 0;
    Some((port, if wide { 32 } else { 24 }))
}

/// Asks Linux for the right to read the four ports of a timer, and tries it in a process of its own: a CPU may refuse
/// what Linux has granted (see `power::off`), and that would be the end of this process.
fn can_read(port: u16) -> bool {
    // SAFETY: asks for the right to use four ports; no memory is involved.
    if unsafe { libc::ioperm(port.into(), 4, 1) } != 0 {
        return false;
    }
    // SAFETY: no other thread runs yet, and the child only reads a port and ends.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: Linux has granted the port, and reading the timer has no effect.
        let _ = unsafe { port::read_u32(port) };
        // SAFETY: ends the child, without running anything else of it.
        unsafe { libc::_exit(0) };
    }
    let mut status = -1;
    // SAFETY: waits for the child, and writes how it ended.
    child > 0 && unsafe { libc::waitpid(child, &raw mut status, 0) } == child && status == 0
}

/// Whether a clock source of Linux counts by an oscillator of its own.
fn is_independent(source: &str) -> bool {
    matches!(source, "hpet" | "acpi_pm")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fadt(port: u32, flags: u32) -> Vec<u8> {
        let mut table = vec![0; 276];
        table[PM_TMR_BLK..PM_TMR_BLK + 4].copy_from_slice(&port.to_le_bytes());
        table[FLAGS..FLAGS + 4].copy_from_slice(&flags.to_le_bytes());
        table
    }

    #[test]
    fn finds_the_timer_that_the_fadt_names() {
        assert_eq!(pm_timer(&fadt(0x608, 0)), Some((0x608, 24)));
        assert_eq!(pm_timer(&fadt(0x608, TMR_VAL_EXT | 1)), Some((0x608, 32)));
        assert_eq!(pm_timer(&fadt(0, TMR_VAL_EXT)), None);
        assert_eq!(pm_timer(&fadt(0x1_0608, 0)), None);
        assert_eq!(pm_timer(&[]), None);
    }

    #[test]
    fn a_clock_that_is_derived_from_the_tsc_is_not_independent() {
        for source in ["tsc", "kvm-clock", "hyperv_clocksource_tsc_page", ""] {
            assert!(!is_independent(source), "{source}");
        }
        assert!(is_independent("hpet") && is_independent("acpi_pm"));
    }

    #[test]
    fn natively_it_is_a_clock_of_linux_that_goes_on() {
        let second = SecondClock::of(SystemName::Native);
        assert_eq!(second.record().source, SecondSource::ClockMonotonic);
        let (one, next) = (second.mark(), second.mark());
        assert!(one.count < next.count && one.tsc < next.tsc, "{one:?} {next:?}");
    }
}
