//! Whether the rounds of a session depend on those before them.
//!
//! Two sessions that ran one after the other are compared as if all their rounds were independent. If the host is in one
//! state for several rounds, they are not: the interval is then too short, and no number of rounds of two sessions separates
//! the state from the program. The rank version of von Neumann's ratio shows it (Bartels, "The Rank Version of von
//! Neumann's Ratio Test for Randomness", Journal of the American Statistical Association 77(377), 1982). A steady drift shows
//! sooner in the ranks of all pairs of rounds (Mann, "Nonparametric Tests Against Trend", Econometrica 13(3), 1945). Both
//! assume nothing of the distribution of times, so one wild round does not decide.

use serde::Serialize;

use crate::distribution::normal_cdf;
use crate::summary::count;

/// The fewest rounds of each session from which dependence is estimated. With fewer it cannot be excluded.
pub const LEAST_FOR_DEPENDENCE: usize = 10;

/// Dependence is evident if ranks of neighbouring rounds are so close with at most this probability, in either session or
/// in both together, or if both sessions together have so much of a trend. If all rounds are independent, the verdict is held back for it that often, and never given for it.
const EVIDENT: f64 = 0.02;

/// The highest autocorrelation that an interval is widened for. Dependence beyond it is evident.
const MOST: f64 = 0.9;

/// How the rounds of two sessions depend on those before them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Dependence {
    /// The autocorrelation of the ranks of A's rounds, at a distance of one round.
    pub a: f64,
    /// That of B's.
    pub b: f64,
    /// By what the half-widths of the interval are multiplied: as the standard error of the mean of a first-order
    /// autoregressive series is (Priestley, Spectral Analysis and Time Series, 1981, section 5.3.2).
    pub widening: f64,
    /// Whether the rounds are shown to depend on each other: then their number says little.
    pub evident: bool,
}

impl Dependence {
    /// Estimates the dependence of times in the order in which they were made. `None` if there are fewer than
    /// [`LEAST_FOR_DEPENDENCE`] of either.
    #[must_use]
    pub fn of(a: &[f64], b: &[f64]) -> Option<Self> {
        if a.len().min(b.len()) < LEAST_FOR_DEPENDENCE {
            return None;
        }
        let trend = trend([a, b]);
        let [a, b] = [a, b].map(Neighbours::of);
        let both = (a.deviate + b.deviate) / std::f64::consts::SQRT_2;
        // Four looks at the same rounds share the error.
        let each = EVIDENT / 4.0;
        let alike = [a.deviate, b.deviate, both].into_iter().fold(f64::INFINITY, f64::min);
        let evident = normal_cdf(alike) <= each || 2.0 * normal_cdf(-trend.abs()) <= each;
        let together = f64::midpoint(a.autocorrelation, b.autocorrelation);
        let worst = together.max(a.autocorrelation).max(b.autocorrelation).clamp(0.0, MOST);
        let widening = ((1.0 + worst) / (1.0 - worst)).sqrt();
        Some(Self { a: a.autocorrelation, b: b.autocorrelation, widening, evident })
    }
}

/// What the ranks of neighbouring rounds say.
struct Neighbours {
    autocorrelation: f64,
    /// How far the ratio is from that of independent rounds, in its standard deviations. Below 0, neighbours are alike.
    deviate: f64,
}

impl Neighbours {
    /// `times` has at least two.
    fn of(times: &[f64]) -> Self {
        let ranks = ranks(times);
        let n = count(ranks.len());
        let mean = f64::midpoint(n, 1.0);
        let spread: f64 = ranks.iter().map(|rank| (rank - mean).powi(2)).sum();
        if spread == 0.0 {
            // All times are equal: nothing varies, and so nothing lasts.
            return Self { autocorrelation: 0.0, deviate: 0.0 };
        }
        let steps: f64 = ranks.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
        let ratio = steps / spread;
        let variance =
            4.0 * (n - 2.0) * (5.0 * n * n - 2.0 * n - 9.0) / (5.0 * n * (n + 1.0) * (n - 1.0).powi(2));
        Self { autocorrelation: 1.0 - ratio / 2.0, deviate: (ratio - 2.0) / variance.sqrt() }
    }
}

/// How far Mann's statistic of both sessions together is from that of no trend, in its standard deviations. Equal times are
/// on neither side, which makes a trend less evident.
fn trend(sessions: [&[f64]; 2]) -> f64 {
    let (mut sum, mut variance) = (0.0, 0.0);
    for times in sessions {
        let n = count(times.len());
        variance += n * (n - 1.0) * (2.0 * n + 5.0) / 18.0;
        for (place, earlier) in times.iter().enumerate() {
            for later in &times[place + 1..] {
                sum += f64::from(i8::from(later > earlier) - i8::from(later < earlier));
            }
        }
    }
    sum / f64::sqrt(variance)
}

/// The rank of each time, from 1; equal times share the mean of their ranks.
fn ranks(times: &[f64]) -> Vec<f64> {
    let rank = |time: &f64| {
        let below = times.iter().filter(|other| *other < time).count();
        let equal = times.iter().filter(|other| *other == time).count();
        count(below) + f64::midpoint(count(equal), 1.0)
    };
    times.iter().map(rank).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bartels' own example, changes of stock levels from 1968-1969 to 1977-1978: the sum of squared steps between ranks is
    /// 169, and that around their mean is 82.5.
    #[test]
    fn the_ratio_is_that_of_a_printed_example() {
        let levels = [528.0, 348.0, 264.0, -20.0, -167.0, 575.0, 410.0, -4.0, 430.0, -122.0];
        let Neighbours { autocorrelation, .. } = Neighbours::of(&levels);
        assert!((2.0 * (1.0 - autocorrelation) - 169.0 / 82.5).abs() < 1e-9, "{autocorrelation}");
    }

    #[test]
    fn ranks_share_ties() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [3.5, 1.0, 3.5, 2.0]);
    }

    #[test]
    fn a_trend_is_evident_and_an_alternation_is_not() {
        let trend: Vec<f64> = (0..15).map(f64::from).collect();
        let alternating: Vec<f64> = (0..15).map(|round| f64::from(round * 7 % 15)).collect();
        let of = |a: &[f64], b: &[f64]| Dependence::of(a, b).expect("enough rounds");
        assert!(of(&trend, &alternating).evident && of(&alternating, &trend).evident);
        let none = of(&alternating, &alternating);
        assert_eq!((none.evident, none.widening), (false, 1.0));
        assert!(of(&trend, &trend).widening > 2.0);
    }

    /// Of 10 rounds in ascending order, the statistic is 45 and its variance 125.
    #[test]
    fn a_trend_is_counted_over_all_pairs() {
        let rising: Vec<f64> = (0..10).map(f64::from).collect();
        let falling: Vec<f64> = rising.iter().map(|time| -time).collect();
        assert!((trend([&rising, &rising]) - 90.0 / 250.0_f64.sqrt()).abs() < 1e-12);
        assert_eq!(trend([&rising, &falling]), 0.0);
    }

    #[test]
    fn times_that_do_not_vary_do_not_depend() {
        let none = Dependence::of(&[1.0; 12], &[1.0; 12]).expect("enough rounds");
        assert_eq!((none.evident, none.widening), (false, 1.0));
    }

    #[test]
    fn few_rounds_show_nothing() {
        let nine: Vec<f64> = (0..9).map(f64::from).collect();
        assert_eq!(Dependence::of(&nine, &[1.0; 15]), None);
    }
}
