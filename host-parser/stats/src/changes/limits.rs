//! The limits of the statistic, by how many values there are.

use abi::random::SplitMix64;

use super::{Level, largest};
use crate::quality::host::unit;
use crate::summary::count;

/// If nothing changes, one look in so many finds a change.
pub const FALSE_ALARM_EVERY: u32 = 500;

/// The fewest values after which there is a look.
pub const LEAST_FOR_CHANGE: usize = 10;

/// The limits at these numbers of values, by [`derive_limits`] with 400,000 series. Between them a line; beyond the last it
/// stays.
const LIMITS: [(usize, f64); 15] = [
    (10, 2.61),
    (11, 2.74),
    (12, 2.87),
    (13, 2.98),
    (14, 3.00),
    (15, 3.06),
    (16, 3.04),
    (18, 3.04),
    (20, 3.08),
    (25, 3.12),
    (30, 3.144),
    (40, 3.16),
    (60, 3.19),
    (100, 3.20),
    (150, 3.21),
];

/// The limit after `n` values; `None` if they are too few.
pub(super) fn limit(n: usize) -> Option<f64> {
    if n < LEAST_FOR_CHANGE {
        return None;
    }
    let above = LIMITS.partition_point(|&(of, _)| of < n);
    let (after, before) = (LIMITS.get(above), LIMITS.get(above.wrapping_sub(1)));
    match (before, after) {
        (_, Some(&(of, limit))) if of == n => Some(limit),
        (Some(&(low, from)), Some(&(high, to))) => {
            Some(from + (to - from) * count(n - low) / count(high - low))
        }
        (Some(&(_, last)), None) => Some(last),
        _ => None,
    }
}

/// The limits after each number of values up to `longest`, from the ranks of `series` random orders: of those in which no
/// change was found before, as many exceed it as [`FALSE_ALARM_EVERY`] says.
#[must_use]
pub fn derive_limits(series: usize, longest: usize, seed: u64) -> Vec<(usize, f64)> {
    let mut random = SplitMix64::new(seed);
    let mut left: Vec<(Vec<f64>, Level)> = (0..series).map(|_| (Vec::new(), Level::begin(0))).collect();
    let mut limits = Vec::new();
    for n in 1..=longest {
        let mut largests = Vec::with_capacity(left.len());
        for (values, level) in &mut left {
            values.push(unit(&mut random));
            level.add(values, n - 1);
            largests.push(largest(&level.rises).1);
        }
        if n < LEAST_FOR_CHANGE {
            continue;
        }
        let mut sorted = largests.clone();
        sorted.sort_unstable_by(f64::total_cmp);
        let allowed = sorted.len() / FALSE_ALARM_EVERY as usize;
        let limit = sorted[sorted.len() - 1 - allowed];
        limits.push((n, limit));
        let mut kept = largests.iter().map(|&largest| largest <= limit);
        left.retain(|_| kept.next().unwrap_or(false));
    }
    limits
}
