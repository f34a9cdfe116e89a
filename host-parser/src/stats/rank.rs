//! Rank statistics for two samples: the null distributions of Wilcoxon's two tests, and the shift, the interval and
//! the p-value that follow from them.
//!
//! Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics Bulletin 1(6), 1945; Mann and Whitney, "On a Test
//! of Whether one of Two Random Variables is Stochastically Larger than the Other", Annals of Mathematical Statistics
//! 18(1), 1947; Hodges and Lehmann, "Estimates of Location Based on Rank Tests", the same 34(2), 1963. The
//! distributions are exact up to [`EXACT`] values a side and normal above.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use super::distribution::normal_cdf;
use super::summary::{count, median_of_sorted};

/// Up to so many values a side the distribution is counted out.
const EXACT: usize = 50;

/// A shift between two samples, and what the ranks say of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    /// The Hodges-Lehmann estimate.
    pub estimate: f64,
    /// The lower end of its interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The interval's confidence level: at least what was asked for, where so few values allow it.
    pub level: f64,
    /// Two-sided, for no shift. What is equal counts for no shift.
    pub p_value: f64,
}

/// The shift of differences from 0, by the signed-rank test: they are symmetric around it. `None` for no differences.
pub(super) fn signed_rank(differences: &[f64], level: f64) -> Option<Shift> {
    let n = differences.len();
    let averages = (0..n).flat_map(|i| (i..n).map(move |j| (i, j)));
    let averages = averages.map(|(i, j)| f64::midpoint(differences[i], differences[j])).collect();
    shift(averages, &counted_once((n, None)), level)
}

/// The shift from `a` to `b`, by the rank-sum test: but for it they are distributed alike. `None` where either is
/// empty.
pub(super) fn rank_sum(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    let differences = a.iter().flat_map(|a| b.iter().map(move |b| b - a)).collect();
    shift(differences, &counted_once((a.len(), Some(b.len()))), level)
}

/// How many values there are: differences, or those of the one side and of the other.
type Counts = (usize, Option<usize>);

/// The distribution of the signed-rank test for so many differences, or of the rank-sum test for two sides. It is worth
/// keeping: a method that is tried on thousands of draws asks for a few of them again and again.
fn counted_once(of: Counts) -> Arc<[f64]> {
    static COUNTED: LazyLock<Mutex<HashMap<Counts, Arc<[f64]>>>> = LazyLock::new(Mutex::default);
    let counted = || COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = counted().get(&of) {
        return Arc::clone(known);
    }
    let cdf: Arc<[f64]> = match of {
        (n, None) => signed_rank_cdf(n).into(),
        (n, Some(m)) => rank_sum_cdf(n, m).into(),
    };
    counted().insert(of, Arc::clone(&cdf));
    cdf
}

/// Both tests count how many of these values are above 0; `cdf` is how that count is distributed where there is no
/// shift.
fn shift(mut values: Vec<f64>, cdf: &[f64], level: f64) -> Option<Shift> {
    values.sort_unstable_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let above = values.iter().filter(|&&value| value > 0.0).count();
    let below = values.iter().filter(|&&value| value < 0.0).count();
    let tail = |at: usize| cdf.get(at).copied().unwrap_or(1.0);
    // How many values may be left out at either end. The outermost are the most that an interval can have.
    let skipped = cdf.iter().take_while(|&&p| 2.0 * p <= 1.0 - level).count().saturating_sub(1).min(last / 2);
    Some(Shift {
        estimate: median_of_sorted(&values),
        low: values[skipped],
        high: values[last - skipped],
        level: (1.0 - 2.0 * tail(skipped)).max(0.0),
        p_value: (2.0 * tail(values.len() - above.max(below))).min(1.0),
    })
}

/// P(W <= w) for each w, W being the sum of the ranks of 1 to n whose fair coins show heads.
fn signed_rank_cdf(n: usize) -> Vec<f64> {
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

/// P(U <= u) for each u, U being how many of the n x m pairs are in one order, all orders of n + m being alike.
fn rank_sum_cdf(n: usize, m: usize) -> Vec<f64> {
    let most = n * m;
    if n > EXACT || m > EXACT {
        return normal(most, count(most) / 2.0, count(most) * count(n + m + 1) / 12.0);
    }
    // In one order, so that swapping the sides gives the same p-value to the last bit.
    let (n, m) = (n.min(m), n.max(m));
    // `row[j]`: the distribution for i of the one and j of the other; the last in order is of either.
    let mut row: Vec<Vec<f64>> = vec![vec![1.0]; m + 1];
    for i in 1..=n {
        row[0] = vec![1.0];
        for j in 1..=m {
            let of_one = count(i) / count(i + j);
            let mut chance = vec![0.0; i * j + 1];
            for (u, p) in row[j].iter().enumerate() {
                chance[u + j] += of_one * p;
            }
            for (u, p) in row[j - 1].iter().enumerate() {
                chance[u] += (1.0 - of_one) * p;
            }
            row[j] = chance;
        }
    }
    cumulated(&row[m])
}

fn cumulated(chance: &[f64]) -> Vec<f64> {
    let sums = chance.iter().scan(0.0, |sum, p| {
        *sum += p;
        Some(f64::min(*sum, 1.0))
    });
    sums.collect()
}

/// The normal distribution in place of one of whole numbers from 0 to `most`, with the continuity correction.
fn normal(most: usize, mean: f64, variance: f64) -> Vec<f64> {
    let deviation = variance.sqrt();
    (0..=most).map(|at| normal_cdf(((count(at) + 0.5 - mean) / deviation).clamp(-5.9, 5.9))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn small_distributions_are_those_counted_by_hand() {
        assert_eq!(signed_rank_cdf(3), [1, 2, 3, 5, 6, 7, 8].map(|ways| f64::from(ways) / 8.0));
        for (p, ways) in rank_sum_cdf(2, 3).iter().zip([1, 2, 4, 6, 8, 9, 10]) {
            close(*p, f64::from(ways) / 10.0, 1e-12);
        }
    }

    /// The largest w with P(W <= w) of at most 0.5 %, in the tables of both tests.
    #[test]
    fn critical_values_are_those_of_printed_tables() {
        let critical = |cdf: Vec<f64>| cdf.iter().take_while(|&&p| p <= 0.005).count();
        for (n, table) in [(8, 0), (10, 3), (15, 15), (20, 37), (30, 109)] {
            assert_eq!(critical(signed_rank_cdf(n)), table + 1, "n = {n}");
        }
        for (n, m, table) in [(5, 5, 0), (10, 10, 16), (15, 15, 51), (20, 20, 105)] {
            assert_eq!(critical(rank_sum_cdf(n, m)), table + 1, "n = {n}, m = {m}");
        }
    }

    #[test]
    fn the_normal_takes_over_where_it_is_as_good() {
        let n = EXACT;
        let (most, mean) = (n * (n + 1) / 2, count(n * (n + 1)) / 4.0);
        let approximate = normal(most, mean, count(n * (n + 1) * (2 * n + 1)) / 24.0);
        for (exact, normal) in signed_rank_cdf(n).iter().zip(approximate) {
            close(*exact, normal, 2e-3);
        }
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
    fn what_is_equal_speaks_against_a_shift() {
        assert_eq!(signed_rank(&[0.0; 12], 0.99).expect("values").p_value, 1.0);
        assert_eq!(rank_sum(&[3.0; 9], &[3.0; 9], 0.99).expect("values").p_value, 1.0);
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = signed_rank(&[1.0, 2.0, 3.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high, shift.level), (1.0, 3.0, 0.75));
    }
}
