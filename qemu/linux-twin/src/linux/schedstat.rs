//! /proc/self/schedstat: how long this process had to wait for its CPU.

use std::fs;

/// The time that this process was ready to run and did not, in ns; `None` if Linux does not account for it.
#[must_use]
pub fn run_delay_ns() -> Option<u64> {
    delay_in(&fs::read_to_string("/proc/self/schedstat").ok()?)
}

/// The second of three numbers: time run, time waited, time slices.
fn delay_in(schedstat: &str) -> Option<u64> {
    let mut numbers = schedstat.split_ascii_whitespace();
    let (_, delay, _) = (numbers.next()?, numbers.next()?, numbers.next()?);
    delay.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_time_waited() {
        assert_eq!(delay_in("123456789 5000 17\n"), Some(5000));
        assert_eq!(delay_in("123456789 5000"), None);
        assert_eq!(delay_in(""), None);
    }
}
