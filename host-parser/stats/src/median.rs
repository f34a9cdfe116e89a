//! The confidence interval of a median, between two of the values themselves.
//!
//! The median of the distribution lies between the k-th smallest and the k-th largest value, unless at most k - 1 of n tosses
//! of a fair coin are heads, or at most k - 1 are tails. That inverts the sign test (Dixon and Mood, "The Statistical Sign
//! Test", Journal of the American Statistical Association 41, 1946), and assumes only that rounds are independent (Conover,
//! Practical Nonparametric Statistics, 3rd edition, 1999, section 3.2). The number of values sets the level: the smallest
//! that reaches [`LEVEL`], or the level of the whole range if none does. The interval states it.

use serde::Serialize;

use super::distribution::fair_tosses_at_most;

/// The confidence level that every interval has at least, if there are 6 values or more.
pub const LEVEL: f64 = 0.95;

/// A confidence interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Interval {
    /// Its confidence level.
    pub level: f64,
    /// Its lower end.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The interval of the median of `values`; `None` for fewer than five, because even their whole range has less than 90 %.
#[must_use]
pub fn median_interval(values: &[f64]) -> Option<Interval> {
    let n = values.len();
    if n < 5 {
        return None;
    }
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let level = |skipped: usize| 1.0 - 2.0 * fair_tosses_at_most(skipped, n);
    let skipped = (1..n / 2).collect::<Vec<_>>().partition_point(|&skipped| level(skipped) >= LEVEL);
    Some(Interval { level: level(skipped), low: sorted[skipped], high: sorted[n - 1 - skipped] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many values are left out at either end, and the level in per cent: of the sign test's printed tables.
    #[test]
    fn leaves_out_what_the_sign_test_allows() {
        for (n, skipped, percent) in [
            (5, 0, 93.75),
            (6, 0, 96.875),
            (7, 0, 98.437_5),
            (9, 1, 96.093_75),
            (11, 1, 98.828_125),
            (15, 3, 96.484_375),
            (19, 4, 98.078_918),
            (20, 5, 95.861_053),
            (25, 7, 95.671_475),
        ] {
            let values: Vec<f64> = (0..n).map(f64::from).rev().collect();
            let interval = median_interval(&values).expect("enough");
            assert_eq!(
                (interval.low, interval.high),
                (f64::from(skipped), f64::from(n - 1 - skipped)),
                "{n}"
            );
            assert!((interval.level * 100.0 - percent).abs() < 1e-6, "{n}: {interval:?}");
        }
        assert_eq!(median_interval(&[1.0; 4]), None);
    }

    #[test]
    fn values_that_are_alike_have_an_interval_without_width() {
        let alike = median_interval(&[2.5; 5]).expect("enough");
        assert_eq!((alike.low, alike.high), (2.5, 2.5));
    }

    /// In how many of 1,000 boots or sessions the interval of seven values around 0 covers 0. Each value is `own` of a
    /// deviation of its own, `kept` of the value before it, and `shared` by all.
    fn covers(own: f64, kept: f64, shared: f64) -> u32 {
        let mut random = abi::random::SplitMix64::new(0xc0_7e12);
        let mut normal = || {
            let uniform = ((random.draw() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
            crate::distribution::normal_quantile(uniform)
        };
        let mut covered = 0;
        for _ in 0..4_000 {
            let (luck, mut last) = (shared * normal(), normal());
            let values: Vec<f64> = (0..7)
                .map(|_| {
                    last = kept * last + (1.0 - kept * kept).sqrt() * normal();
                    luck + own * last
                })
                .collect();
            let interval = median_interval(&values).expect("seven");
            covered += u32::from(interval.low <= 0.0 && interval.high >= 0.0);
        }
        covered / 4
    }

    /// The figures of docs/STATISTICS.md.
    #[test]
    fn covers_what_it_states_of_independent_values_and_not_of_the_iterations_of_a_boot() {
        for ((own, kept, shared), per_mille) in
            [((1.0, 0.0, 0.0), 984), ((1.0, 0.5, 0.0), 896), ((1.0, 0.8, 0.0), 670), ((0.5, 0.0, 1.0), 480)]
        {
            let found = covers(own, kept, shared);
            assert!(found.abs_diff(per_mille) <= 20, "{own} {kept} {shared}: {found} of 1,000");
        }
    }

    #[test]
    fn many_values_are_no_trouble() {
        let values: Vec<f64> = (0..1000).map(f64::from).collect();
        let interval = median_interval(&values).expect("enough");
        assert_eq!((interval.low, interval.high), (468.0, 531.0));
        assert!((0.95..0.96).contains(&interval.level), "{interval:?}");
    }
}
