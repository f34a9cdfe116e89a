//! How often something happened, and how well that is known.

use serde::Serialize;

use crate::stats::Interval;
use crate::stats::bootstrap::LEVEL;
use crate::stats::summary::count;

/// How often something happened in independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// How often it happened.
    pub hits: usize,
    /// How often it could have.
    pub trials: usize,
    /// The one divided by the other.
    pub rate: f64,
    /// Wilson's interval.
    pub interval: Interval,
}

impl Rate {
    /// `hits` of `trials`; `None` where there was no trial.
    #[must_use]
    pub fn of(hits: usize, trials: usize) -> Option<Self> {
        let rate = (trials > 0).then(|| count(hits) / count(trials))?;
        Some(Self { hits, trials, rate, interval: wilson(rate, count(trials)) })
    }
}

/// Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American Statistical
/// Association 22(158), 1927: good where the rate is near 0 or 1, as these are.
fn wilson(rate: f64, trials: f64) -> Interval {
    /// The 97.5 % point of the normal distribution, for [`LEVEL`].
    const Z: f64 = 1.959_963_984_540_054;
    let shrink = 1.0 + Z * Z / trials;
    let centre = (rate + Z * Z / (2.0 * trials)) / shrink;
    let half = Z * (rate * (1.0 - rate) / trials + (Z / (2.0 * trials)).powi(2)).sqrt() / shrink;
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
        assert_eq!(Rate::of(0, 0), None);
    }
}
