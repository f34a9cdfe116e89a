//! A rate of successes in independent trials, with its confidence interval.

use serde::Serialize;

use crate::Interval;
use crate::distribution::{beta_quantile, normal_quantile};
use crate::median::LEVEL;
use crate::summary::count;

/// How often something happened in independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// How often it happened.
    pub hits: usize,
    /// How many trials there were.
    pub trials: usize,
    /// Hits divided by trials.
    pub rate: f64,
    /// The interval of the rate: Wilson's by [`Rate::of`], Clopper and Pearson's by [`Rate::exact`].
    pub interval: Interval,
}

impl Rate {
    /// `hits` of `trials`, for many trials; `None` if there was none.
    #[must_use]
    pub fn of(hits: usize, trials: usize) -> Option<Self> {
        let rate = (trials > 0).then(|| count(hits) / count(trials))?;
        Some(Self { hits, trials, rate, interval: wilson(rate, count(trials)) })
    }

    /// The same with an interval that is also right for a handful of trials; `None` if there was none.
    #[must_use]
    pub fn exact(hits: usize, trials: usize) -> Option<Self> {
        Some(Self { interval: clopper_pearson(hits, trials), ..Self::of(hits, trials)? })
    }
}

/// The interval of Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial",
/// Biometrika 26(4), 1934: the rates at which so many hits, or so few, have a probability of 2.5 % or more. It holds its
/// level at any rate.
fn clopper_pearson(hits: usize, trials: usize) -> Interval {
    let tail = (1.0 - LEVEL) / 2.0;
    let misses = trials - hits;
    Interval {
        level: LEVEL,
        low: if hits == 0 { 0.0 } else { beta_quantile(tail, count(hits), count(misses + 1)) },
        high: if misses == 0 { 1.0 } else { beta_quantile(1.0 - tail, count(hits + 1), count(misses)) },
    }
}

/// The interval of Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
/// Statistical Association 22(158), 1927. It is good near 0 and 1, where these rates are.
fn wilson(rate: f64, trials: f64) -> Interval {
    let z = normal_quantile(f64::midpoint(1.0, LEVEL));
    let shrink = 1.0 + z * z / trials;
    let centre = (rate + z * z / (2.0 * trials)) / shrink;
    let half = z * (rate * (1.0 - rate) / trials + (z / (2.0 * trials)).powi(2)).sqrt() / shrink;
    Interval { level: LEVEL, low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_those_of_printed_examples() {
        // Newcombe, "Two-Sided Confidence Intervals for the Single Proportion", Statistics in Medicine 17, 1998, table I.
        for (hits, trials, low, high) in [
            (81, 263, 0.2553, 0.3662),
            (15, 148, 0.0624, 0.1605),
            (0, 20, 0.0, 0.1611),
            (1, 29, 0.0061, 0.1718),
        ] {
            let Rate { interval, .. } = Rate::of(hits, trials).expect("trials");
            assert!((interval.low - low).abs() < 1e-4 && (interval.high - high).abs() < 1e-4, "{interval:?}");
        }
        assert_eq!((Rate::of(0, 0), Rate::exact(0, 0)), (None, None));
        // As above, method 5.
        for (hits, trials, low, high) in [
            (81, 263, 0.2527, 0.3676),
            (15, 148, 0.0578, 0.1617),
            (0, 20, 0.0, 0.1684),
            (1, 29, 0.0009, 0.1776),
            (29, 29, 0.8806, 1.0),
        ] {
            let Rate { interval, .. } = Rate::exact(hits, trials).expect("trials");
            assert!((interval.low - low).abs() < 1e-4 && (interval.high - high).abs() < 1e-4, "{interval:?}");
        }
    }
}
