//! The ranks of the quicker half, for two sides whose rounds do not belong together: Gastwirth's percentile modification of
//! the rank-sum test (Gastwirth, "Percentile Modifications of Two Sample Rank Tests", Journal of the American Statistical
//! Association 60(312), 1965).
//!
//! A host can only take away: it makes some rounds slow, on either side, and the others are as quick as the program is. So
//! the slower half of all rounds, of which the host has most, scores nothing; of the quicker half the quickest scores most.
//! (Of the minimum says the same: Chen and Revels, "Robust benchmarking in noisy environments", arXiv:1608.04295, 2016.)
//! Where no host interferes this costs little: a shift of all rounds moves the quick ones too.
//!
//! Estimate and interval are those that belong to the test: the shift that makes its scores even, and the shifts that it
//! does not refuse (Hodges and Lehmann, "Estimates of Location Based on Rank Tests", Annals of Mathematical Statistics
//! 34(2), 1963).

use std::sync::{Arc, LazyLock};

use super::{Counted, EXACT, Shift, cumulated, normal, partition_point};
use crate::summary::count;

/// The shift from `a` to `b`: but for it they are distributed alike. `None` if either is empty.
pub(crate) fn quick_ranks(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    shift(a, b, (a.len() + b.len()) / 2, level)
}

/// The same where every round scores: Wilcoxon's rank-sum test, as in [`super::signed`]'s source.
pub(crate) fn all_ranks(a: &[f64], b: &[f64], level: f64) -> Option<Shift> {
    shift(a, b, a.len() + b.len(), level)
}

fn shift(a: &[f64], b: &[f64], scoring: usize, level: f64) -> Option<Shift> {
    let mut shifts: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| b - a)).collect();
    shifts.sort_unstable_by(f64::total_cmp);
    let last = shifts.len().checked_sub(1)?;
    let sides = Sides::new(a, b, scoring);
    let error = (1.0 - level) / 2.0;
    // The further B is shifted back, the less A scores. That changes where a shift makes two values equal: at `shifts`.
    let between = |place: usize| match place {
        0 => shifts[0] - 1.0,
        place if place > last => shifts[last] + 1.0,
        place => f64::midpoint(shifts[place - 1], shifts[place]),
    };
    let score = |place: usize| sides.score(between(place), Ties::ToA);
    // The first place between shifts, or outside of them, where A scores so little; one further where there is none.
    let first = |little: &dyn Fn(usize) -> bool| partition_point(last + 2, |place| !little(score(place)));
    // The shift just before such a place.
    let before = |place: usize| shifts[place.clamp(1, last + 1) - 1];

    let (a_is_quick, a_is_slow) = (|score| sides.as_quick(score), |score| sides.as_slow(score));
    let from = first(&|score| a_is_quick(score) > error);
    let to = first(&|score| a_is_slow(score) <= error);
    // Where nothing can be refused, the outermost shift is the most that an interval can have.
    let refused = a_is_quick(score(from.saturating_sub(1))) + a_is_slow(score(to.min(last + 1)));
    let fair = sides.total * a.len();
    let even = first(&|score| score * sides.values() <= fair);
    let uneven = first(&|score| score * sides.values() < fair);
    let p_value = a_is_quick(sides.score(0.0, Ties::ToB)).min(a_is_slow(sides.score(0.0, Ties::ToA)));
    Some(Shift {
        estimate: f64::midpoint(before(even), before(uneven)),
        low: before(from),
        high: before(to),
        level: (1.0 - refused).max(0.0),
        p_value: (2.0 * p_value).min(1.0),
    })
}

/// Which of two equal values comes first.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Ties {
    ToA,
    ToB,
}

/// Two sides and the distribution of their scores where all orders are alike.
struct Sides {
    /// In order.
    a: Vec<f64>,
    b: Vec<f64>,
    /// So many of all values score, the quickest as much as there are, the last of them 1.
    scoring: usize,
    /// What both sides score together.
    total: usize,
    /// P(score of A <= s) for each s.
    of_a: Arc<[f64]>,
    of_b: Arc<[f64]>,
}

impl Sides {
    fn new(a: &[f64], b: &[f64], scoring: usize) -> Self {
        static COUNTED: LazyLock<Counted<(usize, usize, usize)>> = LazyLock::new(Counted::default);
        let sorted = |side: &[f64]| {
            let mut side = side.to_vec();
            side.sort_unstable_by(f64::total_cmp);
            side
        };
        let counted = |n: usize, m: usize| COUNTED.get((n, m, scoring), cdf);
        let (of_a, of_b) = (counted(a.len(), b.len()), counted(b.len(), a.len()));
        Self { a: sorted(a), b: sorted(b), scoring, total: together(scoring), of_a, of_b }
    }

    fn values(&self) -> usize {
        self.a.len() + self.b.len()
    }

    /// The score of A where B is shifted back by so much.
    fn score(&self, shift: f64, ties: Ties) -> usize {
        let (mut a, mut b) = (self.a.iter().peekable(), self.b.iter().peekable());
        let mut of_a = 0;
        for worth in (1..=self.scoring).rev() {
            let is_a = match (a.peek(), b.peek()) {
                (Some(&&a), Some(&&b)) => a < b - shift || a == b - shift && ties == Ties::ToA,
                (next, _) => next.is_some(),
            };
            if is_a {
                a.next();
                of_a += worth;
            } else {
                b.next();
            }
        }
        of_a
    }

    /// How probable it is that A scores as much or more.
    fn as_quick(&self, score: usize) -> f64 {
        self.of_b[self.total - score]
    }

    /// How probable it is that A scores as little or less.
    fn as_slow(&self, score: usize) -> f64 {
        self.of_a[score]
    }
}

/// What so many scoring values score together.
const fn together(scoring: usize) -> usize {
    scoring * (scoring + 1) / 2
}

/// P(score <= s) for each s, of n values among n + m, all orders of which are alike, where so many of all score.
fn cdf((n, m, scoring): (usize, usize, usize)) -> Vec<f64> {
    let (values, total) = (n + m, together(scoring));
    if n > EXACT || m > EXACT {
        // The sum of n drawn without replacement.
        let mean = count(total) / count(values);
        let squares = count(total * (2 * scoring + 1)) / 3.0;
        let variance = count(n * m) / count(values - 1) * (squares / count(values) - mean * mean);
        return normal(total, count(n) * mean, variance);
    }
    // `chance[k][s]`: of the places so far, the quickest first, k are those of the n, and they score s.
    let mut chance = vec![vec![0.0; total + 1]; n + 2];
    chance[0][0] = 1.0;
    for (place, worth) in (1..=scoring).rev().enumerate() {
        for k in (0..=place.min(n)).rev() {
            let taken = count(n - k) / count(values - place);
            let (of_k, of_next) = chance.split_at_mut(k + 1);
            for (s, p) in of_k[k].iter_mut().enumerate().filter(|(_, p)| **p > 0.0) {
                if let Some(next) = of_next[0].get_mut(s + worth) {
                    *next += *p * taken;
                }
                *p *= 1.0 - taken;
            }
        }
    }
    let chances: Vec<f64> = (0..=total).map(|s| chance.iter().map(|of_k| of_k[s]).sum()).collect();
    cumulated(&chances)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    #[test]
    fn small_distributions_are_those_counted_by_hand() {
        // Two of four: scores of 2 + 1; 2, twice; 1, twice; none.
        for (p, ways) in cdf((2, 2, 2)).iter().zip([1, 3, 5, 6]) {
            close(*p, f64::from(ways) / 6.0, 1e-12);
        }
        // One of three, of which one scores.
        for (p, ways) in cdf((1, 2, 1)).iter().zip([2, 3]) {
            close(*p, f64::from(ways) / 3.0, 1e-12);
        }
    }

    /// How many scores have a chance of at most 0.5 %, by another program, in whole numbers: so many values on either side,
    /// so many scores.
    const CRITICAL: [(usize, usize, usize); 6] =
        [(5, 5, 1), (10, 10, 8), (15, 15, 25), (20, 20, 51), (8, 12, 4), (12, 8, 13)];

    #[test]
    fn critical_values_are_those_that_whole_numbers_give() {
        for (n, m, least) in CRITICAL {
            let critical = cdf((n, m, (n + m) / 2)).iter().take_while(|&&p| p <= 0.005).count();
            assert_eq!(critical, least, "n = {n}, m = {m}");
        }
    }

    /// The largest rank sum, or Mann and Whitney's U, with a chance of at most 0.5 %, in the test's printed tables.
    #[test]
    fn where_all_score_the_critical_values_are_those_of_the_rank_sum_test() {
        for (n, m, u) in [(5, 5, 0), (8, 8, 7), (10, 10, 16), (15, 15, 51), (8, 12, 15)] {
            let critical = cdf((n, m, n + m)).iter().take_while(|&&p| p <= 0.005).count();
            assert_eq!(critical, n * (n + 1) / 2 + u + 1, "n = {n}, m = {m}");
        }
    }

    #[test]
    fn the_slow_rounds_of_one_side_alone_show_where_all_score() {
        let side = |late: f64, stride: i32| -> Vec<f64> {
            (0..15).map(|i| f64::from(i * stride % 15) * 1e-4 + if i % 5 < 2 { late } else { 0.0 }).collect()
        };
        let (a, b) = (side(0.0, 4), side(0.3, 7));
        assert!(quick_ranks(&a, &b, 0.99).expect("values").high < 0.02);
        assert!(all_ranks(&a, &b, 0.99).expect("values").high > 0.25);
    }

    #[test]
    fn the_normal_takes_over_where_it_is_as_good() {
        let (scoring, total) = (EXACT, together(EXACT));
        let exact = cdf((EXACT, EXACT, scoring));
        let mean = count(total) / count(2 * EXACT);
        let squares: usize = (1..=scoring).map(|score| score * score).sum();
        let variance =
            count(EXACT * EXACT) / count(2 * EXACT - 1) * (count(squares) / count(2 * EXACT) - mean * mean);
        for (exact, normal) in exact.iter().zip(normal(total, count(EXACT) * mean, variance)) {
            close(*exact, normal, 5e-3);
        }
        let beyond = cdf((EXACT + 1, EXACT + 1, EXACT + 1));
        close(beyond[beyond.len() / 2], 0.5, 1e-2);
    }

    #[test]
    fn estimates_the_shift_and_brackets_it() {
        let a: Vec<f64> = (0..15).map(|i| f64::from(i * 7 % 15) * 0.01).collect();
        let b: Vec<f64> = (0..15).map(|i| 1.0 + f64::from(i * 4 % 15) * 0.01).collect();
        let shift = quick_ranks(&a, &b, 0.99).expect("values");
        close(shift.estimate, 1.0, 1e-9);
        assert!(shift.low > 0.9 && shift.low < 1.0 && shift.high > 1.0 && shift.high < 1.1, "{shift:?}");
        assert!(shift.level >= 0.99 && shift.p_value < 1e-6, "{shift:?}");
        let back = quick_ranks(&b, &a, 0.99).expect("values");
        close(back.estimate, -shift.estimate, 1e-12);
        close(back.low, -shift.high, 1e-9);
        close(back.high, -shift.low, 1e-9);
        assert_eq!(back.p_value, shift.p_value);
        assert_eq!(quick_ranks(&[], &b, 0.99), None);
    }

    #[test]
    fn looks_through_what_makes_a_third_of_either_side_slow() {
        let side = |base: f64, slow: i32| -> Vec<f64> {
            (0..15)
                .map(|i| base + f64::from(i * 7 % 15) * 1e-4 + if i % 3 == slow { 0.3 } else { 0.0 })
                .collect()
        };
        let shift = quick_ranks(&side(0.0, 0), &side(0.02, 1), 0.99).expect("values");
        assert!(shift.p_value < 1e-3 && shift.low > 0.015 && shift.high < 0.025, "{shift:?}");
    }

    #[test]
    fn what_is_equal_speaks_against_a_shift() {
        let shift = quick_ranks(&[3.0; 9], &[3.0; 9], 0.99).expect("values");
        assert_eq!((shift.estimate, shift.low, shift.high, shift.p_value), (0.0, 0.0, 0.0, 1.0));
    }

    #[test]
    fn few_values_have_the_whole_range_at_a_lower_level() {
        let shift = quick_ranks(&[1.0, 2.0], &[1.5, 2.5, 4.0], 0.99).expect("values");
        assert_eq!((shift.low, shift.high), (-0.5, 3.0));
        assert!(shift.level < 0.9, "{shift:?}");
    }
}
