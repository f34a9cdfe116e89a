//! A moment read on two clocks.

use crate::x86::tsc;

/// How often a counter is read between two TSC readings, to find a pair without an interruption.
const TRIES: u32 = 8;

/// The TSC and another counter at one moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Mark {
    /// The TSC.
    pub tsc: u64,
    /// The counter.
    pub count: u64,
}

impl Mark {
    /// The tightest of several attempts: a vCPU may be descheduled between two readings.
    #[must_use]
    pub fn take(count: impl Fn() -> u64) -> Self {
        Self::take_with_width(count).1
    }

    /// The same, and how many cycles passed around it: the counter was read at some moment within them.
    #[must_use]
    pub fn take_with_width(count: impl Fn() -> u64) -> (u64, Self) {
        let tightest = (0..TRIES).map(|_| Self::attempt(&count)).min_by_key(|&(width, _)| width);
        tightest.unwrap_or_default()
    }

    /// One reading of both, and how many cycles passed around it.
    fn attempt(read: &impl Fn() -> u64) -> (u64, Self) {
        let before = tsc::read_ordered();
        let count = read();
        let width = tsc::read_ordered().saturating_sub(before);
        (width, Self { tsc: before + width / 2, count })
    }
}

#[cfg(test)]
mod tests {
    use core::cell::Cell;

    use super::*;

    #[test]
    fn keeps_the_reading_that_took_least() {
        let number = Cell::new(0);
        let count = || {
            number.set(number.get() + 1);
            if number.get() != 3 {
                let until = tsc::read() + 10_000_000;
                while tsc::read() < until {
                    core::hint::spin_loop();
                }
            }
            number.get()
        };
        let before = tsc::read();
        let (width, mark) = Mark::take_with_width(count);
        assert_eq!(mark.count, 3);
        assert!(width < 10_000_000);
        assert!((before..tsc::read()).contains(&mark.tsc));
    }
}
