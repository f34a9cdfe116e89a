//! The interval of a median by the bootstrap.
//!
//! The percentile bootstrap (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13), with its
//! percentiles moved outwards for small samples (Hesterberg, What Teachers Should Know About the Bootstrap, The
//! American Statistician 69(4), 2015: the expanded percentile interval): without that it is too narrow for the few
//! rounds an experiment has.

use abi::random::SplitMix64;
use serde::Serialize;

use super::distribution::{normal_cdf, t_975};
use super::summary::{count, median_of_sorted};

/// The confidence level of every interval.
pub const LEVEL: f64 = 0.95;

/// How many resamples an interval is made from.
pub const RESAMPLES: usize = 10_000;

/// Where the generator begins, so that one set of samples always has one interval.
pub const SEED: u64 = 0x4153_5341_5931;

/// An interval of confidence.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Interval {
    /// Its confidence level.
    pub level: f64,
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The interval of the median of `values`; `None` for fewer than five, which say nothing at this level.
pub(super) fn median_interval(values: &[f64]) -> Option<Interval> {
    let n = values.len();
    if n < 5 {
        return None;
    }
    let (low, high) = (values[0], values[0]);
    if values.iter().all(|&value| value == low) {
        // Every resample is the same, as with the size of an image.
        return Some(Interval { level: LEVEL, low, high });
    }
    let mut random = SplitMix64::new(SEED);
    let mut medians: Vec<f64> = (0..RESAMPLES)
        .map(|_| {
            let mut drawn: Vec<f64> = (0..n).map(|_| values[random.below(n)]).collect();
            drawn.sort_unstable_by(f64::total_cmp);
            median_of_sorted(&drawn)
        })
        .collect();
    medians.sort_unstable_by(f64::total_cmp);
    let skipped = skipped(n);
    Some(Interval { level: LEVEL, low: medians[skipped], high: medians[RESAMPLES - 1 - skipped] })
}

/// How many resampled medians lie outside the interval at either end.
fn skipped(n: usize) -> usize {
    let widened = (count(n) / count(n - 1)).sqrt() * t_975(count(n - 1));
    let share = normal_cdf(-widened) * count(RESAMPLES);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 0 and 2.5 % of RESAMPLES"
    )]
    let skipped = share.floor() as usize;
    skipped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_samples_get_the_whole_range_and_larger_ones_less() {
        let seven = [1.8, 1.9, 1.85, 1.87, 1.5, 1.88, 1.86];
        let interval = median_interval(&seven).expect("enough");
        assert_eq!((interval.low, interval.high), (1.5, 1.9));
        let many: Vec<f64> = (0..31).map(f64::from).collect();
        let interval = median_interval(&many).expect("enough");
        assert!(
            (7.0..=11.0).contains(&interval.low) && (19.0..=23.0).contains(&interval.high),
            "{interval:?}"
        );
        assert_eq!(median_interval(&seven[..4]), None);
        let alike = median_interval(&[2.5; 5]).expect("enough");
        assert_eq!((alike.low, alike.high), (2.5, 2.5));
    }

    #[test]
    fn the_same_samples_have_the_same_interval() {
        let values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
        assert_eq!(median_interval(&values), median_interval(&values));
    }
}
