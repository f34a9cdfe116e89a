//! How often something happened, and how well that is known.

use serde::Serialize;

use crate::Interval;
use crate::distribution::binomial_at_most;
use crate::median::LEVEL;
use crate::summary::count;

/// How often something happened in independent trials.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rate {
    /// How often it happened.
    pub hits: usize,
    /// How often it could have.
    pub trials: usize,
    /// The one divided by the other.
    pub rate: f64,
    /// Its interval: Wilson's of [`Rate::of`], Clopper and Pearson's of [`Rate::exact`].
    pub interval: Interval,
}

impl Rate {
    /// `hits` of `trials`; `None` if there was no trial.
    #[must_use]
    pub fn of(hits: usize, trials: usize) -> Option<Self> {
        let rate = (trials > 0).then(|| count(hits) / count(trials))?;
        Some(Self { hits, trials, rate, interval: wilson(rate, count(trials)) })
    }

    /// The same with an interval that is right for a handful of trials as well.
    #[must_use]
    pub fn exact(hits: usize, trials: usize) -> Option<Self> {
        Some(Self { interval: clopper_pearson(hits, trials), ..Self::of(hits, trials)? })
    }
}

/// Clopper and Pearson, "The Use of Confidence or Fiducial Limits Illustrated in the Case of the Binomial", Biometrika
/// 26(4), 1934: the rates under which so many hits, or so few, have 2.5 % at least. It holds its level whatever the rate.
fn clopper_pearson(hits: usize, trials: usize) -> Interval {
    let tail = (1.0 - LEVEL) / 2.0;
    // The rate at which `few` hits at most are as probable as `chance`: the higher the rate, the less probable.
    let rate = |few: usize, chance: f64| {
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..60 {
            let middle = f64::midpoint(low, high);
            let side = if binomial_at_most(few, trials, middle) > chance { &mut low } else { &mut high };
            *side = middle;
        }
        f64::midpoint(low, high)
    };
    Interval {
        level: LEVEL,
        low: if hits == 0 { 0.0 } else { rate(hits - 1, 1.0 - tail) },
        high: if hits == trials { 1.0 } else { rate(hits, tail) },
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
