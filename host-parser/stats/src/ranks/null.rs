//! The null distributions of the rank tests: how large a sum of scores gets by chance if A and B do not differ.
//!
//! Two chance models cover every test here.
//!
//! - [`drawn_sum_cdf`]: which rounds are A's is arbitrary. The scores of A are drawn without replacement out of all scores.
//! - [`tossed_sum_at_most`]: which side of a pair is A's is arbitrary. A fair coin decides whether a pair's weight counts.
//!
//! Both are exact up to [`EXACT`] values, and need no random numbers. Scores are whole numbers, so one table over all sums
//! replaces the enumeration of all draws, or of all 2^n tosses (the shift algorithm: Streitberg and Röhmel, "Exact
//! Distributions for Permutation and Rank Tests: An Introduction to Some Recently Published Algorithms", Statistical
//! Software Newsletter 12(1), 1986). The tests hold both against that enumeration. Beyond [`EXACT`] the normal distribution
//! takes over, with the continuity correction.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::distribution::normal_cdf;
use crate::summary::count;

/// Up to this many values a side the distributions are exact. 2^50 is also exact as a floating-point number.
pub(super) const EXACT: usize = 50;

/// P(S <= s) for each whole number s from 0 on. S is the sum of the scores of `drawn` values that are drawn without
/// replacement out of `values`. The first values have the `scores`, all others score 0.
pub(super) fn drawn_sum_cdf(drawn: usize, values: usize, scores: &[usize]) -> Vec<f64> {
    let total: usize = scores.iter().sum();
    if drawn.max(values - drawn) > EXACT {
        return NormalSum::drawn(drawn, values, scores).cdf(total);
    }
    // `chance[k][s]`: of the values so far, k are drawn and their scores add up to s.
    let mut chance = vec![vec![0.0; total + 1]; drawn + 2];
    chance[0][0] = 1.0;
    for (place, &score) in scores.iter().enumerate() {
        for k in (0..=place.min(drawn)).rev() {
            let this_is_drawn = count(drawn - k) / count(values - place);
            let (of_k, of_next) = chance.split_at_mut(k + 1);
            for (sum, p) in of_k[k].iter_mut().enumerate().filter(|(_, p)| **p > 0.0) {
                if let Some(next) = of_next[0].get_mut(sum + score) {
                    *next += *p * this_is_drawn;
                }
                *p *= 1.0 - this_is_drawn;
            }
        }
    }
    let chances: Vec<f64> = (0..=total).map(|sum| chance.iter().map(|of_k| of_k[sum]).sum()).collect();
    cumulated(&chances)
}

/// P(S <= `most`). S is the sum of the `weights` whose fair coins show heads. `step` is the step from one possible sum to
/// the next if no values are equal; only the continuity correction needs it.
pub(super) fn tossed_sum_at_most(weights: &[usize], step: usize, most: usize) -> f64 {
    if weights.len() > EXACT {
        return NormalSum::tossed(weights, step).at_most(most);
    }
    tossed_ways(weights, most).iter().sum::<f64>() / tosses(weights.len())
}

/// P(S <= s) for each whole number s from 0 on, with S as in [`tossed_sum_at_most`] and a step of 1.
pub(super) fn tossed_sum_cdf(weights: &[usize]) -> Vec<f64> {
    let total: usize = weights.iter().sum();
    if weights.len() > EXACT {
        return NormalSum::tossed(weights, 1).cdf(total);
    }
    let all = tosses(weights.len());
    let chances: Vec<f64> = tossed_ways(weights, total).into_iter().map(|ways| ways / all).collect();
    cumulated(&chances)
}

/// In how many ways the tosses give each sum from 0 to `most`.
fn tossed_ways(weights: &[usize], most: usize) -> Vec<f64> {
    let mut ways = vec![0.0; most + 1];
    ways[0] = 1.0;
    for &weight in weights {
        for sum in (weight..=most).rev() {
            ways[sum] += ways[sum - weight];
        }
    }
    ways
}

/// How many ways there are to toss `coins` coins.
fn tosses(coins: usize) -> f64 {
    2.0_f64.powi(i32::try_from(coins).unwrap_or(i32::MAX))
}

/// A normal distribution in place of one on whole numbers.
struct NormalSum {
    mean: f64,
    variance: f64,
    /// The continuity correction: half of the step from one possible sum to the next.
    correction: f64,
}

impl NormalSum {
    fn drawn(drawn: usize, values: usize, scores: &[usize]) -> Self {
        let mean_score = count(scores.iter().sum()) / count(values);
        let mean_square = scores.iter().map(|&score| count(score * score)).sum::<f64>() / count(values);
        // The divisor is `values - 1` because the scores are drawn without replacement.
        let variance =
            count(drawn * (values - drawn)) / count(values - 1) * (mean_square - mean_score * mean_score);
        Self { mean: count(drawn) * mean_score, variance, correction: 0.5 }
    }

    fn tossed(weights: &[usize], step: usize) -> Self {
        let mean = weights.iter().map(|&weight| count(weight)).sum::<f64>() / 2.0;
        let variance = weights.iter().map(|&weight| count(weight * weight)).sum::<f64>() / 4.0;
        Self { mean, variance, correction: count(step) / 2.0 }
    }

    /// P(S <= `most`).
    fn at_most(&self, most: usize) -> f64 {
        if self.variance <= 0.0 {
            return 1.0;
        }
        normal_cdf((count(most) + self.correction - self.mean) / self.variance.sqrt())
    }

    /// P(S <= s) for each whole number s up to `total`.
    fn cdf(&self, total: usize) -> Vec<f64> {
        (0..=total).map(|most| self.at_most(most)).collect()
    }
}

/// The running sums of `chances`.
fn cumulated(chances: &[f64]) -> Vec<f64> {
    let sums = chances.iter().scan(0.0, |sum, p| {
        *sum += p;
        Some(f64::min(*sum, 1.0))
    });
    sums.collect()
}

/// Distributions that were worked out before. `assay dev bench-verdict` asks for a few of them, thousands of times.
#[derive(Default)]
pub(super) struct Cache<K>(Mutex<HashMap<K, Arc<[f64]>>>);

impl<K: Copy + Eq + std::hash::Hash> Cache<K> {
    /// The distribution of `key`, made by `make` if it is not there yet.
    pub(super) fn get_or_make(&self, key: K, make: impl FnOnce() -> Vec<f64>) -> Arc<[f64]> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key) {
            return Arc::clone(known);
        }
        // Without the lock: another thread may make it as well, and makes the same.
        let made: Arc<[f64]> = make().into();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, Arc::clone(&made));
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64, within: f64) {
        assert!((a - b).abs() < within, "{a} is not {b}");
    }

    /// The sum of the scores that the bits of `chosen` select.
    fn sum_of(scores: &[usize], chosen: usize) -> usize {
        scores.iter().enumerate().filter(|(place, _)| chosen >> place & 1 == 1).map(|(_, score)| score).sum()
    }

    /// P(S <= s) by going through each subset of the values that `counts` accepts, all equally likely.
    fn by_enumeration(scores: &[usize], values: usize, counts: impl Fn(usize) -> bool) -> Vec<f64> {
        let sums: Vec<usize> = (0..1_usize << values)
            .filter(|&chosen| counts(chosen))
            .map(|chosen| sum_of(scores, chosen))
            .collect();
        let at_most = |most: usize| count(sums.iter().filter(|&&sum| sum <= most).count());
        (0..=scores.iter().sum()).map(|most| at_most(most) / count(sums.len())).collect()
    }

    #[test]
    fn drawn_sums_are_those_of_all_draws_enumerated() {
        let score_lists: [&[usize]; 5] = [&[1], &[2, 1], &[6, 5, 4, 3, 2, 1], &[7, 7, 2], &[0, 3, 0, 1, 1]];
        for scores in score_lists {
            for values in scores.len()..=12 {
                for drawn in 0..=values {
                    let exact =
                        by_enumeration(scores, values, |chosen| chosen.count_ones() as usize == drawn);
                    let cdf = drawn_sum_cdf(drawn, values, scores);
                    assert_eq!(cdf.len(), exact.len());
                    for (p, exact) in cdf.iter().zip(exact) {
                        close(*p, exact, 1e-12);
                    }
                }
            }
        }
    }

    #[test]
    fn tossed_sums_are_those_of_all_tosses_enumerated() {
        let weight_lists: [&[usize]; 5] =
            [&[], &[4], &[0, 0, 5], &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], &[3, 14, 1, 5, 9, 2, 6, 5, 3]];
        for weights in weight_lists {
            let exact = by_enumeration(weights, weights.len(), |_| true);
            assert_eq!(tossed_sum_cdf(weights), exact, "{weights:?}");
            for (most, exact) in exact.into_iter().enumerate() {
                assert_eq!(tossed_sum_at_most(weights, 1, most), exact, "{weights:?}, {most}");
            }
        }
    }

    #[test]
    fn the_normal_distribution_takes_over_where_it_is_as_good() {
        let ranks: Vec<usize> = (1..=EXACT).collect();
        let total = ranks.iter().sum();
        for (exact, normal) in tossed_sum_cdf(&ranks).iter().zip(NormalSum::tossed(&ranks, 1).cdf(total)) {
            close(*exact, normal, 2e-3);
        }
        let exact = drawn_sum_cdf(EXACT, 2 * EXACT, &ranks);
        for (exact, normal) in exact.iter().zip(NormalSum::drawn(EXACT, 2 * EXACT, &ranks).cdf(total)) {
            close(*exact, normal, 5e-3);
        }
        let beyond = drawn_sum_cdf(EXACT + 1, 2 * EXACT + 2, &ranks);
        close(beyond[beyond.len() / 2], 0.5, 2e-2);
    }

    #[test]
    fn the_continuity_correction_follows_the_step_of_the_sums() {
        // Weights that are all twice as large have the same distribution on the even numbers.
        let ranks: Vec<usize> = (1..=EXACT + 1).collect();
        let doubled: Vec<usize> = ranks.iter().map(|rank| 2 * rank).collect();
        for most in (0..1300).step_by(50) {
            close(tossed_sum_at_most(&ranks, 1, most), tossed_sum_at_most(&doubled, 2, 2 * most), 1e-12);
        }
        assert_eq!(tossed_sum_at_most(&[0; EXACT + 1], 2, 0), 1.0);
    }

    #[test]
    fn a_cached_distribution_is_made_once() {
        let cache = Cache::default();
        let first = cache.get_or_make(3, || vec![0.5, 1.0]);
        let again = cache.get_or_make(3, || panic!("it is known"));
        assert!(Arc::ptr_eq(&first, &again));
    }
}
