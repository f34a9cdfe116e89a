//! Wilcoxon's signed ranks, for pairs: "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1(6), 1945; the
//! estimate and the interval by Hodges and Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical
//! Statistics 34(2), 1963.

use std::sync::LazyLock;

use super::{Counted, EXACT, Shift, cumulated, normal};
use crate::summary::{count, median_of_sorted};

/// The shift of differences from 0: they are symmetric around it. `None` for no differences.
pub(crate) fn signed_ranks(differences: &[f64], level: f64) -> Option<Shift> {
    static COUNTED: LazyLock<Counted<usize>> = LazyLock::new(Counted::default);
    let n = differences.len();
    let cdf = COUNTED.get(n, cdf);
    // The test counts how many of the averages of two, or of one with itself, are above 0.
    let averages = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
    let averages = averages.map(|(i, j)| f64::midpoint(differences[i], differences[j]));
    let mut averages: Vec<f64> = averages.collect();
    averages.sort_unstable_by(f64::total_cmp);
    let last = averages.len().checked_sub(1)?;
    let above = averages.iter().filter(|&&value| value > 0.0).count();
    let below = averages.iter().filter(|&&value| value < 0.0).count();
    let tail = |at: usize| cdf.get(at).copied().unwrap_or(1.0);
    // How many values may be left out at either end. The outermost are the most that an interval can have.
    let skipped = cdf.iter().take_while(|&&p| 2.0 * p <= 1.0 - level).count().saturating_sub(1).min(last / 2);
    Some(Shift {
        estimate: median_of_sorted(&averages),
        low: averages[skipped],
        high: averages[last - skipped],
        level: (1.0 - 2.0 * tail(skipped)).max(0.0),
        p_value: (2.0 * tail(averages.len() - above.max(below))).min(1.0),
    })
}

/// P(W <= w) for each w, W being the sum of the ranks of 1 to n whose fair coins show heads.
fn cdf(n: usize) -> Vec<f64> {
    let most = n * (n + 1) / 2;
    if n > EXACT {
        return normal(most, count(most) / 2.0, count(n * (n + 1) * (2 * n + 1)) / 24.0);
    }
    let mut chance = vec![0.0; most + 1];
    chance[0] = 1.0;
    for rank in 1..=n {
        for sum in (0..=most).rev() {
            let with = if sum >= rank { chance[sum - rank] } else { 0.0 };
            chance[sum] = f64::midpoint(chance[sum], with);
        }
    }
    cumulated(&chance)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn a_small_distribution_is_the_one_counted_by_hand() {
        assert_eq!(cdf(3), [1, 2, 3, 5, 6, 7, 8].map(|ways| f64::from(ways) / 8.0));
    }

    /// The largest w with P(W <= w) of at most 0.5 %, in the test's printed tables.
    #[test]
    fn critical_values_are_those_of_printed_tables() {
        for (n, table) in [(8, 0), (10, 3), (15, 15), (20, 37), (30, 109)] {
            let critical = cdf(n).iter().take_while(|&&p| p <= 0.005).count();
            assert_eq!(critical, table + 1, "n = {n}");
        }
    }

    #[test]
    fn the_normal_takes_over_where_it_is_as_good() {
        let n = EXACT;
        let (most, mean) = (n * (n + 1) / 2, count(n * (n + 1)) / 4.0);
        let approximate = normal(most, mean, count(n * (n + 1) * (2 * n + 1)) / 24.0);
        for (exact, normal) in cdf(n).iter().zip(approximate) {
            close(*exact, normal, 2e-3);
        }
    }

    #[test]
    fn estimates_the_shift_and_brackets_it() {
        let differences: Vec<f64> = (-7..=7).map(|i| 1.0 + 0.1 * f64::from(i)).collect();
        let shift = signed_ranks(&differences, 0.99).expect("values");
        close(shift.estimate, 1.0, 1e-12);
        assert!(shift.low > 0.5 && shift.low < 1.0 && shift.high > 1.0 && shift.level >= 0.99, "{shift:?}");
        close(shift.p_value, 2.0 / f64::from(1 << 15), 1e-12);
        assert_eq!(signed_ranks(&[], 0.99), None);
    }

    #[test]
    fn what_is_equal_speaks_against_a_shift() {
        assert_eq!(signed_ranks(&[0.0; 12], 0.99).expect("values").p_value, 1.0);
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = signed_ranks(&[1.0, 2.0, 3.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high, shift.level), (1.0, 3.0, 0.75));
    }
}
