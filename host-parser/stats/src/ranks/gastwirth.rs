//! Gastwirth's rank test of the faster half, for rounds of A and B that do not belong together (Gastwirth, "Percentile
//! Modifications of Two Sample Rank Tests", Journal of the American Statistical Association 60(312), 1965); and the rank-sum
//! test, which is the same with a score for every round (Wilcoxon, "Individual Comparisons by Ranking Methods", Biometrics
//! Bulletin 1(6), 1945).
//!
//! A host can only take time away. It slows some rounds of A or B, and the others are as fast as the program is. So the
//! slower half of all rounds, which has most of what the host did, scores nothing; in the faster half the fastest scores
//! most. (On the minimum as the estimate of a time: Chen and Revels, "Robust benchmarking in noisy environments",
//! arXiv:1608.04295, 2016.) On a quiet host this costs little: a program that is slower is slower in its fast rounds too.
//!
//! The estimate is the shift that makes the scores even, and the interval has the shifts that the test does not refuse
//! (Hodges and Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics 34(2), 1963).

use std::sync::{Arc, LazyLock};

use super::null::{Cache, drawn_sum_cdf};
use super::{Shift, below_gap, pairwise_shifts, partition_point, within_gap};

/// The shift from `a` to `b` by the faster half of all values. `None` if either is empty.
pub(crate) fn gastwirth(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    shift(a, b, (a.len() + b.len()) / 2, level)
}

/// The shift from `a` to `b` by all values. `None` if either is empty.
pub(crate) fn rank_sum(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    shift(a, b, a.len() + b.len(), level)
}

fn shift(a: &[f64], b: &[f64], scoring: usize, level: f64) -> Option<Shift> {
    let shifts = pairwise_shifts(a, b);
    let gaps = shifts.len() + 1;
    if shifts.is_empty() {
        return None;
    }
    let samples = Samples::new(a, b, scoring);
    let error = (1.0 - level) / 2.0;
    // The further B is shifted back, the less A scores: each search below is for the one gap where a condition changes.
    let score_in = |gap: usize| samples.score_of_a(within_gap(&shifts, gap), Ties::AFirst);
    let first_accepted = partition_point(gaps, |gap| samples.p_at_least(score_in(gap)) <= error);
    let first_refused = partition_point(gaps, |gap| samples.p_at_most(score_in(gap)) > error);
    // If the outermost gap is not refused, the interval ends at the outermost shift and its level is lower.
    let outside = samples.p_at_least(score_in(first_accepted.saturating_sub(1)))
        + samples.p_at_most(score_in(first_refused.min(gaps - 1)));
    // A's fair part of the total score, times the number of values.
    let fair = samples.total * a.len();
    let values = a.len() + b.len();
    let first_even = partition_point(gaps, |gap| score_in(gap) * values > fair);
    let first_below = partition_point(gaps, |gap| score_in(gap) * values >= fair);
    let b_is_slower = samples.p_at_least(samples.score_of_a(0.0, Ties::BFirst));
    let b_is_faster = samples.p_at_most(samples.score_of_a(0.0, Ties::AFirst));
    Some(Shift {
        estimate: f64::midpoint(below_gap(&shifts, first_even), below_gap(&shifts, first_below)),
        low: below_gap(&shifts, first_accepted),
        high: below_gap(&shifts, first_refused),
        level: (1.0 - outside).max(0.0),
        p_value: (2.0 * b_is_slower.min(b_is_faster)).min(1.0),
    })
}

/// Which of two equal values counts as the faster one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ties {
    AFirst,
    BFirst,
}

/// Two samples, and the null distribution of the score of each.
struct Samples {
    /// In ascending order.
    a: Vec<f64>,
    /// In ascending order.
    b: Vec<f64>,
    /// This many of all values score: the fastest this number, the last of them 1.
    scoring: usize,
    /// The scores of A and B together.
    total: usize,
    /// P(score of A <= s) for each s.
    a_cdf: Arc<[f64]>,
    /// P(score of B <= s) for each s.
    b_cdf: Arc<[f64]>,
}

impl Samples {
    fn new(a: &[f64], b: &[f64], scoring: usize) -> Self {
        static CACHE: LazyLock<Cache<(usize, usize, usize)>> = LazyLock::new(Cache::default);
        let cdf = |own: usize, others: usize| {
            CACHE.get_or_make((own, others, scoring), || score_cdf(own, others, scoring))
        };
        Self {
            a: ascending(a),
            b: ascending(b),
            scoring,
            total: scoring * (scoring + 1) / 2,
            a_cdf: cdf(a.len(), b.len()),
            b_cdf: cdf(b.len(), a.len()),
        }
    }

    /// The score of A with B shifted back by `shift`.
    fn score_of_a(&self, shift: f64, ties: Ties) -> usize {
        let (mut a, mut b) = (self.a.iter().peekable(), self.b.iter().peekable());
        let mut of_a = 0;
        for score in (1..=self.scoring).rev() {
            let a_is_next = match (a.peek(), b.peek()) {
                (Some(&&a), Some(&&b)) => a < b - shift || a == b - shift && ties == Ties::AFirst,
                (next_of_a, _) => next_of_a.is_some(),
            };
            if a_is_next {
                a.next();
                of_a += score;
            } else {
                b.next();
            }
        }
        of_a
    }

    /// The probability that A scores `score` or more: that B scores the rest or less.
    fn p_at_least(&self, score: usize) -> f64 {
        self.b_cdf[self.total - score]
    }

    /// The probability that A scores `score` or less.
    fn p_at_most(&self, score: usize) -> f64 {
        self.a_cdf[score]
    }
}

fn ascending(values: &[f64]) -> Vec<f64> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    values
}

/// P(score <= s) for each s, of a sample of `own` values beside one of `others`, if `scoring` of all values score.
fn score_cdf(own: usize, others: usize, scoring: usize) -> Vec<f64> {
    let scores: Vec<usize> = (1..=scoring).rev().collect();
    drawn_sum_cdf(own, own + others, &scores)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::count;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn small_distributions_are_those_counted_by_hand() {
        // Two of four: scores of 2 + 1; 2, twice; 1, twice; none.
        for (p, ways) in score_cdf(2, 2, 2).iter().zip([1, 3, 5, 6]) {
            close(*p, f64::from(ways) / 6.0, 1e-12);
        }
        // One of three, of which one scores.
        for (p, ways) in score_cdf(1, 2, 1).iter().zip([2, 3]) {
            close(*p, f64::from(ways) / 3.0, 1e-12);
        }
    }

    /// Values of A, values of B, and how many of A's scores have a probability of at most 0.5 %. Worked out by another program
    /// in whole numbers.
    const CRITICAL: [(usize, usize, usize); 6] =
        [(5, 5, 1), (10, 10, 8), (15, 15, 25), (20, 20, 51), (8, 12, 4), (12, 8, 13)];

    #[test]
    fn critical_values_are_those_that_whole_numbers_give() {
        for (n, m, least) in CRITICAL {
            let critical = score_cdf(n, m, (n + m) / 2).iter().take_while(|&&p| p <= 0.005).count();
            assert_eq!(critical, least, "n = {n}, m = {m}");
        }
    }

    /// The largest U of Mann and Whitney with a probability of at most 0.5 %, in the test's printed tables.
    #[test]
    fn if_all_values_score_the_critical_values_are_those_of_the_rank_sum_test() {
        for (n, m, u) in [(5, 5, 0), (8, 8, 7), (10, 10, 16), (15, 15, 51), (8, 12, 15)] {
            let critical = score_cdf(n, m, n + m).iter().take_while(|&&p| p <= 0.005).count();
            assert_eq!(critical, n * (n + 1) / 2 + u + 1, "n = {n}, m = {m}");
        }
    }

    #[test]
    fn slow_rounds_of_one_side_alone_show_in_the_rank_sum() {
        let side = |late: f64, stride: i32| -> Vec<f64> {
            (0..15).map(|i| f64::from(i * stride % 15) * 1e-4 + if i % 5 < 2 { late } else { 0.0 }).collect()
        };
        let (a, b) = (side(0.0, 4), side(0.3, 7));
        assert!(gastwirth(&a, &b, 0.99).expect("values").high < 0.02);
        assert!(rank_sum(&a, &b, 0.99).expect("values").high > 0.25);
    }

    /// The p-value by its definition: all ways to choose which of the values are A's, and the part of them in which A
    /// scores at least as much, and at most as much.
    #[test]
    fn the_p_value_is_that_of_all_choices_enumerated() {
        let (a, b) = ([0.11, 0.52, 0.23, 0.31, 0.47], [0.29, 0.64, 0.38, 0.86, 0.75, 0.42]);
        for (scoring, found) in [(5, gastwirth(&a, &b, 0.99)), (11, rank_sum(&a, &b, 0.99))] {
            let mut values: Vec<(f64, bool)> = a.iter().map(|&value| (value, true)).collect();
            values.extend(b.iter().map(|&value| (value, false)));
            values.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
            let score = |is_a: &dyn Fn(usize) -> bool| -> usize {
                (0..scoring).filter(|&place| is_a(place)).map(|place| scoring - place).sum()
            };
            let seen = score(&|place| values[place].1);
            let scores: Vec<usize> = (0..1_usize << values.len())
                .filter(|chosen| chosen.count_ones() as usize == a.len())
                .map(|chosen| score(&|place| chosen >> place & 1 == 1))
                .collect();
            let part = |counted: usize| count(counted) / count(scores.len());
            let at_least = part(scores.iter().filter(|&&score| score >= seen).count());
            let at_most = part(scores.iter().filter(|&&score| score <= seen).count());
            close(found.expect("values").p_value, (2.0 * at_least.min(at_most)).min(1.0), 1e-12);
        }
    }

    #[test]
    fn estimates_the_shift_and_brackets_it() {
        let a: Vec<f64> = (0..15).map(|i| f64::from(i * 7 % 15) * 0.01).collect();
        let b: Vec<f64> = (0..15).map(|i| 1.0 + f64::from(i * 4 % 15) * 0.01).collect();
        let shift = gastwirth(&a, &b, 0.99).expect("values");
        close(shift.estimate, 1.0, 1e-9);
        assert!(shift.low > 0.9 && shift.low < 1.0 && shift.high > 1.0 && shift.high < 1.1, "{shift:?}");
        assert!(shift.level >= 0.99 && shift.p_value < 1e-6, "{shift:?}");
        let back = gastwirth(&b, &a, 0.99).expect("values");
        close(back.estimate, -shift.estimate, 1e-12);
        close(back.low, -shift.high, 1e-9);
        close(back.high, -shift.low, 1e-9);
        assert_eq!(back.p_value, shift.p_value);
        assert_eq!(gastwirth(&[], &b, 0.99), None);
    }

    #[test]
    fn a_third_of_slow_rounds_on_each_side_does_not_matter() {
        let side = |base: f64, slow: i32| -> Vec<f64> {
            (0..15)
                .map(|i| base + f64::from(i * 7 % 15) * 1e-4 + if i % 3 == slow { 0.3 } else { 0.0 })
                .collect()
        };
        let shift = gastwirth(&side(0.0, 0), &side(0.02, 1), 0.99).expect("values");
        assert!(shift.p_value < 1e-3 && shift.low > 0.015 && shift.high < 0.025, "{shift:?}");
    }

    #[test]
    fn equal_times_count_against_a_shift() {
        let shift = gastwirth(&[3.0; 9], &[3.0; 9], 0.99).expect("values");
        assert_eq!((shift.estimate, shift.low, shift.high, shift.p_value), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = gastwirth(&[1.0, 2.0], &[1.5, 2.5, 4.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high), (-0.5, 3.0));
        assert!(shift.level < 0.9, "{shift:?}");
    }
}
