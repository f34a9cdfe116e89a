//! Wilcoxon's signed-rank test, for pairs (Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1(6),
//! 1945), with the estimate and the interval that belong to it (Hodges and Lehmann, "Estimates of Location Based on Rank
//! Tests", Annals of Mathematical Statistics 34(2), 1963).

use std::sync::LazyLock;

use super::Shift;
use super::null::{Cache, tossed_sum_cdf};
use crate::summary::median_of_sorted;

/// How far the centre of `differences` is from 0. `None` if there are none.
///
/// Under the null hypothesis each difference is as likely to have the opposite sign.
pub(crate) fn signed_rank(differences: &[f64], level: f64) -> Option<Shift> {
    static CACHE: LazyLock<Cache<usize>> = LazyLock::new(Cache::default);
    let pairs = differences.len();
    let cdf = CACHE.get_or_make(pairs, || signed_rank_cdf(pairs));
    let averages = walsh_averages(differences);
    let last = averages.len().checked_sub(1)?;
    // The test statistic: how many Walsh averages are on the side that has more of them. One that is 0 is on neither, and
    // counts against a shift.
    let above = averages.iter().filter(|&&average| average > 0.0).count();
    let below = averages.iter().filter(|&&average| average < 0.0).count();
    let p_at_most = |sum: usize| cdf.get(sum).copied().unwrap_or(1.0);
    // How many averages the interval leaves out at each end. It leaves out none if the level cannot be reached.
    let refused = cdf.iter().take_while(|&&p| 2.0 * p <= 1.0 - level).count();
    let left_out = refused.saturating_sub(1).min(last / 2);
    Some(Shift {
        estimate: median_of_sorted(&averages),
        low: averages[left_out],
        high: averages[last - left_out],
        level: (1.0 - 2.0 * p_at_most(left_out)).max(0.0),
        p_value: (2.0 * p_at_most(averages.len() - above.max(below))).min(1.0),
    })
}

/// The mean of each two values, and of each value with itself, in ascending order.
fn walsh_averages(values: &[f64]) -> Vec<f64> {
    let mut averages = Vec::with_capacity(values.len() * (values.len() + 1) / 2);
    for (place, &one) in values.iter().enumerate() {
        averages.extend(values[place..].iter().map(|&other| f64::midpoint(one, other)));
    }
    averages.sort_unstable_by(f64::total_cmp);
    averages
}

/// P(W <= w) for each w. W is the sum of those of the ranks 1 to `pairs` whose differences are positive.
fn signed_rank_cdf(pairs: usize) -> Vec<f64> {
    let ranks: Vec<usize> = (1..=pairs).collect();
    tossed_sum_cdf(&ranks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::count;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn a_small_distribution_is_the_one_counted_by_hand() {
        assert_eq!(signed_rank_cdf(3), [1, 2, 3, 5, 6, 7, 8].map(|ways| f64::from(ways) / 8.0));
    }

    /// The largest w with P(W <= w) of at most 0.5 %, in the test's printed tables.
    #[test]
    fn critical_values_are_those_of_printed_tables() {
        for (pairs, table) in [(8, 0), (10, 3), (15, 15), (20, 37), (30, 109)] {
            let critical = signed_rank_cdf(pairs).iter().take_while(|&&p| p <= 0.005).count();
            assert_eq!(critical, table + 1, "{pairs} pairs");
        }
    }

    /// The p-value by its definition: the part of all 2^n choices of signs with a sum of signed ranks that is at least as
    /// far from 0.
    #[test]
    fn the_p_value_is_that_of_all_signs_enumerated() {
        let differences: [f64; 10] = [0.3, -0.1, 0.7, 0.45, -0.2, 0.9, 1.1, 0.05, 0.6, -0.35];
        let mut ranked = differences;
        ranked.sort_unstable_by(|one, other| one.abs().total_cmp(&other.abs()));
        let signed_sum = |is_positive: &dyn Fn(usize) -> bool| -> i64 {
            (0..).zip(1..=10).map(|(place, rank)| if is_positive(place) { rank } else { -rank }).sum()
        };
        let seen = signed_sum(&|place| ranked[place] > 0.0).abs();
        let as_far = |signs: &usize| signed_sum(&|place| signs >> place & 1 == 1).abs() >= seen;
        let p_value = count((0..1_usize << 10).filter(as_far).count()) / count(1 << 10);
        close(signed_rank(&differences, 0.99).expect("values").p_value, p_value, 1e-12);
    }

    #[test]
    fn estimates_the_shift_and_brackets_it() {
        let differences: Vec<f64> = (-7..=7).map(|i| 1.0 + 0.1 * f64::from(i)).collect();
        let shift = signed_rank(&differences, 0.99).expect("values");
        close(shift.estimate, 1.0, 1e-12);
        assert!(shift.low > 0.5 && shift.low < 1.0 && shift.high > 1.0 && shift.level >= 0.99, "{shift:?}");
        close(shift.p_value, 2.0 / f64::from(1 << 15), 1e-12);
        assert_eq!(signed_rank(&[], 0.99), None);
    }

    #[test]
    fn equal_times_count_against_a_shift() {
        assert_eq!(signed_rank(&[0.0; 12], 0.99).expect("values").p_value, 1.0);
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = signed_rank(&[1.0, 2.0, 3.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high, shift.level), (1.0, 3.0, 0.75));
    }
}
