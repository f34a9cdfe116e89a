//! What a CPU can see of its host by itself: time that passes between two readings of its clock with the same few
//! instructions between them, and how often it gets through these.

use abi::pace::fill;

use crate::x86::tsc;

/// What a CPU saw.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Seen {
    /// The longest time between two readings of the TSC, one after the other, in cycles.
    pub longest: u64,
    /// How many readings it made: its pace. A CPU that is slowed down and not taken away, by a lower clock or by its
    /// core's other thread, shows no gap and fewer readings.
    pub reads: u32,
}

/// The part of its time for which a watch is tried first: what is run for the first time is fetched, and translated by an
/// emulator, and that is not the CPU's pace.
const TRIED: u64 = 8;

/// Reads the TSC for `cycles`, with the same work between any two readings.
#[must_use]
pub fn watch(cycles: u64) -> Seen {
    let _tried = read_for(cycles / TRIED);
    read_for(cycles)
}

// Not inlined: what is tried must be what is then run.
#[inline(never)]
fn read_for(cycles: u64) -> Seen {
    let begin = tsc::read();
    let (mut last, mut seen) = (begin, Seen::default());
    while last.wrapping_sub(begin) < cycles {
        fill();
        let now = tsc::read();
        seen.longest = now.saturating_sub(last).max(seen.longest);
        seen.reads = seen.reads.wrapping_add(1);
        last = now;
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_between_readings() {
        let cycles = 1_000_000;
        let Seen { longest, reads } = watch(cycles);
        assert!(longest > 0);
        assert!(
            longest * u64::from(reads) >= cycles,
            "{reads} readings, {longest} cycles at most between two"
        );
    }

    #[test]
    fn makes_readings_for_as_long_as_it_watches() {
        let few = (0..5).map(|_| watch(10_000).reads).min();
        assert!(few < Some(watch(10_000_000).reads));
    }
}
