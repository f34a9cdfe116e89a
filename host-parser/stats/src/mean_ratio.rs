//! The ratio of two mean times, with its confidence interval.
//!
//! By Fieller's theorem (Fieller, "Some Problems in Interval Estimation", Journal of the Royal Statistical Society B
//! 16(2), 1954): the interval has every ratio for which a paired t test does not find that the mean of
//! `dividend - ratio * divisor` differs from 0. It assumes that rounds are independent and that these differences have
//! a mean. What rare, long disturbances cost shows in it only if some of them are in the rounds.

use serde::Serialize;

use super::distribution::t_quantile;
use super::median::{Interval, LEVEL};
use super::paired::ByRound;
use super::summary::count;

/// The fewest rounds that have an interval: as many as for a median.
const LEAST_ROUNDS: usize = 5;

/// The mean of one figure divided by the mean of another, over the rounds that have both.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MeanRatio {
    /// How many rounds there are.
    pub rounds: usize,
    /// The ratio of the means.
    pub ratio: f64,
    /// Its interval; `None` for fewer than five rounds, or if the rounds differ so much that it has no upper end.
    pub interval: Option<Interval>,
}

impl MeanRatio {
    /// The mean of `dividend` divided by that of `divisor`, whose figures are above 0; `None` if they share no round.
    #[must_use]
    pub fn of(dividend: &ByRound, divisor: &ByRound) -> Option<Self> {
        let pairs = dividend.iter().filter_map(|(round, &figure)| Some((figure, *divisor.get(round)?)));
        let (x, y): (Vec<f64>, Vec<f64>) = pairs.unzip();
        let rounds = x.len();
        (rounds > 0).then(|| Self { rounds, ratio: mean(&x) / mean(&y), interval: interval(&x, &y) })
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / count(values.len())
}

/// The sum of the products of both deviations, divided by n (n - 1): the covariance of the means.
fn covariance_of_means(x: &[f64], y: &[f64]) -> f64 {
    let (mean_x, mean_y, n) = (mean(x), mean(y), count(x.len()));
    let products = x.iter().zip(y).map(|(x, y)| (x - mean_x) * (y - mean_y));
    products.sum::<f64>() / (n * (n - 1.0))
}

/// The ratios r between the roots of (x - r y)^2 = t^2 (vxx - 2 r vxy + r^2 vyy), with x and y the means.
fn interval(x: &[f64], y: &[f64]) -> Option<Interval> {
    if x.len() < LEAST_ROUNDS {
        return None;
    }
    let t = t_quantile(f64::midpoint(1.0, LEVEL), x.len() - 1);
    let (mean_x, mean_y) = (mean(x), mean(y));
    let square = mean_y.powi(2) - t.powi(2) * covariance_of_means(y, y);
    let half_linear = mean_x * mean_y - t.powi(2) * covariance_of_means(x, y);
    let constant = mean_x.powi(2) - t.powi(2) * covariance_of_means(x, x);
    if square <= 0.0 {
        return None;
    }
    // Rounding can make it negative if all rounds are alike.
    let root = (half_linear.powi(2) - square * constant).max(0.0).sqrt();
    let (low, high) = ((half_linear - root) / square, (half_linear + root) / square);
    Some(Interval { level: LEVEL, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rounds(figures: &[f64]) -> ByRound {
        (0..).zip(figures).map(|(round, &figure)| ((round, 0), figure)).collect()
    }

    /// Student's t of the mean of the differences.
    fn t_of(x: &[f64], y: &[f64], ratio: f64) -> f64 {
        let differences: Vec<f64> = x.iter().zip(y).map(|(x, y)| x - ratio * y).collect();
        mean(&differences) / covariance_of_means(&differences, &differences).sqrt()
    }

    #[test]
    fn both_ends_are_where_the_paired_t_test_just_rejects() {
        let x = [630.0, 641.0, 655.0, 628.0, 802.0, 631.0, 633.0];
        let y = [319.0, 322.0, 340.0, 317.0, 350.0, 480.0, 318.0];
        let mean_ratio = MeanRatio::of(&rounds(&x), &rounds(&y)).expect("rounds");
        let interval = mean_ratio.interval.expect("seven rounds");
        assert!((t_of(&x, &y, interval.low) - 2.4469).abs() < 1e-3, "{interval:?}");
        assert!((t_of(&x, &y, interval.high) + 2.4469).abs() < 1e-3, "{interval:?}");
        assert!(interval.low < mean_ratio.ratio && mean_ratio.ratio < interval.high);
        assert_eq!((mean_ratio.rounds, interval.level), (7, LEVEL));
    }

    #[test]
    fn only_rounds_that_have_both_count() {
        let mut x = rounds(&[10.0, 20.0, 30.0]);
        x.insert((7, 0), 1e9);
        let mean_ratio = MeanRatio::of(&x, &rounds(&[5.0, 10.0, 15.0])).expect("three rounds");
        assert_eq!((mean_ratio.rounds, mean_ratio.ratio, mean_ratio.interval), (3, 2.0, None));
        assert_eq!(MeanRatio::of(&x, &ByRound::new()), None);
    }

    #[test]
    fn rounds_that_are_alike_have_an_interval_without_width() {
        let mean_ratio = MeanRatio::of(&rounds(&[3.0; 6]), &rounds(&[2.0; 6])).expect("six rounds");
        let interval = mean_ratio.interval.expect("six rounds");
        assert!((interval.low - 1.5).abs() < 1e-9 && (interval.high - 1.5).abs() < 1e-9, "{interval:?}");
    }

    #[test]
    fn a_divisor_that_may_be_0_gives_no_interval() {
        let wild = MeanRatio::of(&rounds(&[1.0; 5]), &rounds(&[0.01, 0.01, 0.01, 0.01, 9.0])).expect("five");
        assert_eq!(wild.interval, None);
    }

    /// How often the interval of the ratio of means is wholly above the true ratio, in thousandths: `rounds` rounds in
    /// which a quarter of the divisors takes 1.8 times as long.
    fn overstated(rounds: u32, seed: u64) -> u32 {
        let mut random = abi::random::SplitMix64::new(seed);
        let mut uniform = || (random.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        let truth = 2.0 / 1.2;
        let mut above = 0;
        for _ in 0..4_000 {
            let (mut x, mut y) = (ByRound::new(), ByRound::new());
            for round in 0..rounds {
                x.insert((round, 0), 2.0 + 0.04 * (uniform() - 0.5));
                let slowed = if uniform() < 0.25 { 1.8 } else { 1.0 };
                y.insert((round, 0), slowed * (1.0 + 0.02 * (uniform() - 0.5)));
            }
            let interval = MeanRatio::of(&x, &y).and_then(|ratio| ratio.interval);
            above += u32::from(interval.is_some_and(|interval| interval.low > truth));
        }
        above / 4
    }

    /// With few rounds it may be that none of them met the neighbour: (3/4)^5 is 0.24. The figures are in
    /// docs/STATISTICS.md.
    #[test]
    fn overstates_a_mean_no_more_often_than_documented() {
        for (rounds, at_most) in [(5, 260), (7, 150), (15, 90), (30, 45)] {
            let found = overstated(rounds, 7);
            assert!(found <= at_most, "{rounds} rounds: {found} of 1,000");
        }
    }
}
