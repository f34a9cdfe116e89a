//! What a CPU can see of its host by itself: time that passes while it does nothing but read the time.

use crate::x86::tsc;

/// The longest time between two readings of the TSC, one after the other, over `cycles`.
#[must_use]
pub fn longest(cycles: u64) -> u64 {
    let begin = tsc::read();
    let (mut last, mut longest) = (begin, 0);
    while last.wrapping_sub(begin) < cycles {
        let now = tsc::read();
        longest = now.saturating_sub(last).max(longest);
        last = now;
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_passes_between_readings() {
        let longest = longest(1_000_000);
        assert!(longest > 0);
    }
}
