//! The ratio of two mean times over everything that was made, with a lower bound.
//!
//! A round may have only one of the two times, because the other was skipped for what the first one showed. To leave such
//! rounds out would leave out the worst of them, so each mean is over its own rounds. The spread of the ratio's logarithm
//! is the jackknife's over rounds, and the bound Student's t with as many degrees of freedom as there are rounds less one
//! (Miller, "The Jackknife: A Review", Biometrika 61(1), 1974). It assumes independent rounds. A session that met few
//! spells of slowness understates the mean and its spread together, so that the divisor's mean is also taken to be as long
//! as it [may be by its spells](crate::mean_by_spells); the lower bound counts. A disturbance so rare that no round has it
//! cannot show in either.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::distribution::t_quantile;
use crate::paired::Round;
use crate::summary::count;
use crate::totals::{Total, Totals};

/// The confidence of the lower bound, on its one side.
const CONFIDENCE: f64 = 0.99;

/// The fewest rounds that have a bound.
const LEAST_ROUNDS: usize = 3;

/// The mean of one time divided by the mean of another, each over all of its rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct MadeRatio {
    /// How many rounds have either.
    pub rounds: usize,
    /// The ratio of the means.
    pub ratio: f64,
    /// The one-sided lower 99 % bound of the ratio: the lower of the jackknife's and that by spells. `None` if there are too
    /// few rounds.
    pub low: Option<f64>,
}

impl MadeRatio {
    /// The mean of `dividend` divided by that of `divisor`; `None` if one of them has no round. All times are above 0. A
    /// round has each time that was made in it: more than one if a disturbed run was made again. `longest` is how long the
    /// divisor's mean may be by its spells, if that is known.
    #[must_use]
    pub fn of(dividend: &Totals, divisor: &Totals, longest: Option<f64>) -> Option<Self> {
        let (of_dividend, of_divisor) = (Total::of_all(dividend), Total::of_all(divisor));
        let ratio = of_dividend.mean()? / of_divisor.mean()?;
        let by_spells =
            longest.map_or(f64::INFINITY, |longest| of_dividend.mean().unwrap_or_default() / longest);
        let rounds: BTreeSet<&Round> = dividend.keys().chain(divisor.keys()).collect();
        let without = rounds.iter().map(|&round| {
            let dividend = of_dividend.without(dividend.get(round)).mean()?;
            Some((dividend / of_divisor.without(divisor.get(round)).mean()?).ln())
        });
        let without: Option<Vec<f64>> = without.collect();
        let low = without
            .filter(|logs| logs.len() >= LEAST_ROUNDS)
            .map(|logs| ratio * (-t_quantile(CONFIDENCE, logs.len() - 1) * spread(&logs)).exp())
            .map(|low| low.min(by_spells));
        Some(Self { rounds: rounds.len(), ratio, low })
    }
}

/// The jackknife's standard error from the figures without each round.
fn spread(without: &[f64]) -> f64 {
    let n = count(without.len());
    let mean = without.iter().sum::<f64>() / n;
    (without.iter().map(|log| (log - mean).powi(2)).sum::<f64>() * (n - 1.0) / n).sqrt()
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;

    fn by_round(times: &[Option<f64>]) -> Totals {
        (0..).zip(times).filter_map(|(round, time)| Some(((round, 0), Total::of([(*time)?])))).collect()
    }

    #[test]
    fn every_time_counts_even_if_its_round_has_no_other() {
        let one = by_round(&[Some(2.0), Some(2.0), None, Some(2.0)]);
        let two = by_round(&[Some(1.0), Some(1.0), Some(2.0), Some(1.0)]);
        let made = MadeRatio::of(&one, &two, None).expect("times");
        assert!((made.ratio - 1.6).abs() < 1e-12 && made.rounds == 4, "{made:?}");
        assert_eq!(MadeRatio::of(&one, &by_round(&[]), None), None);
        assert_eq!(
            MadeRatio::of(&by_round(&[Some(1.0); 2]), &by_round(&[Some(1.0); 2]), None)
                .and_then(|made| made.low),
            None
        );
    }

    #[test]
    fn without_spread_the_bound_is_the_ratio() {
        let made =
            MadeRatio::of(&by_round(&[Some(3.0); 5]), &by_round(&[Some(2.0); 5]), None).expect("times");
        assert!(made.low.is_some_and(|low| (low - 1.5).abs() < 1e-12), "{made:?}");
    }

    #[test]
    fn the_lower_bound_counts() {
        let low = |longest| {
            let made = MadeRatio::of(&by_round(&[Some(3.0); 5]), &by_round(&[Some(2.0); 5]), Some(longest));
            made.and_then(|made| made.low).expect("five rounds")
        };
        assert!((low(2.5) - 1.2).abs() < 1e-12 && (low(1.9) - 1.5).abs() < 1e-12);
    }

    /// For one sample the jackknife is the usual standard error: here of a mean of logarithms that vary little.
    #[test]
    fn the_bound_is_above_the_truth_in_one_of_a_hundred_trials() {
        let mut random = SplitMix64::new(5);
        let mut unit = || (random.draw() >> 11) as f64 / (1_u64 << 53) as f64;
        let mut side = |mean: f64| -> Vec<Option<f64>> {
            (0..8).map(|_| Some(mean * (1.0 + 0.05 * ((0..12).map(|_| unit()).sum::<f64>() - 6.0)))).collect()
        };
        let above = (0..4000).filter(|_| {
            let made = MadeRatio::of(&by_round(&side(2.0)), &by_round(&side(1.0)), None);
            made.and_then(|made| made.low).is_some_and(|low| low > 2.0)
        });
        let rate = above.count() as f64 / 4000.0;
        assert!((0.005..0.015).contains(&rate), "{rate}");
    }
}
