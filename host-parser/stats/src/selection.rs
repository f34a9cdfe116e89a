//! Whether one group of boots lost more than another: the test for an exclusion that follows what is measured.
//!
//! The unit is the boot. Its share is the part of its iterations that evidence excluded, 1 if the whole boot was refused.
//! Iterations of one boot share its luck and are no units. Two groups of boots (two cases, two systems, two sides) are
//! compared by their mean shares, and the p-value is that of the exact permutation test: the part of all ways to label the
//! boots that gives a difference as large. Boots of both groups ran in the same rounds in a random order, so that nothing
//! but what the group is can make the labels matter (Fisher, "The Design of Experiments", 1935, section 21; Ernst,
//! "Permutation Methods: A Basis for Exact Inference", Statistical Science 19(4), 2004).
//!
//! **Exposure.** A boot with `k` busy CPUs meets the neighbours of all of them. If one CPU's neighbours exclude the part
//! `s` of the iterations of one CPU, independent neighbours exclude `1 - (1 - s)^k` of those of `k`. So much more is no
//! selection, nor is anything between `s` (the neighbours of all CPUs are one) and that. Each direction of the difference
//! is tested against the end of this range where it begins.

use serde::Serialize;

use crate::distribution::normal_cdf;
use crate::summary::count;

/// Shares are counted in this many parts.
const PARTS: f64 = 200.0;

/// With more boots than this the permutation distribution is taken as normal.
const EXACT: usize = 64;

/// The excluded shares of two groups, compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ShareTest {
    /// The mean share of the first group.
    pub first: f64,
    /// The mean share of the second group.
    pub second: f64,
    /// By how much the difference of the mean shares exceeds what exposure explains: above 0 if the second group lost more,
    /// below 0 if the first did, 0 within the range.
    pub excess: f64,
    /// The two-sided p-value.
    pub p: f64,
}

impl ShareTest {
    /// Compares the shares of two groups' boots, each from 0 to 1. `exposure` is how many times as many CPUs the second
    /// group's boots use: at least 1. `None` if a group has no boot.
    #[must_use]
    pub fn of(first: &[f64], second: &[f64], exposure: f64) -> Option<Self> {
        let (a, b) = (mean(first)?, mean(second)?);
        let most = 1.0 - (1.0 - a).powf(exposure);
        let excess = if b > most { b - most } else { (b - a).min(0.0) };
        let more = at_least(first, second, most - a);
        let fewer = at_least(second, first, 0.0);
        Some(Self { first: a, second: b, excess, p: (2.0 * more.min(fewer)).min(1.0) })
    }
}

impl ShareTest {
    /// The same as one of so many tests, which share the error (Bonferroni).
    #[must_use]
    pub fn one_of(self, tests: usize) -> Self {
        Self { p: (self.p * count(tests)).min(1.0), ..self }
    }
}

fn mean(shares: &[f64]) -> Option<f64> {
    (!shares.is_empty()).then(|| shares.iter().sum::<f64>() / count(shares.len()))
}

/// The one-sided p-value: how often boots drawn at random from both groups have a sum as large as those of `more`, whose
/// shares are first reduced by `less`.
fn at_least(fewer: &[f64], more: &[f64], less: f64) -> f64 {
    let reduced: Vec<f64> = more.iter().map(|share| share - less).collect();
    let lowest = fewer.iter().chain(&reduced).copied().fold(f64::INFINITY, f64::min);
    let parts = |share: &f64| ((share - lowest) * PARTS).round();
    let all: Vec<f64> = fewer.iter().chain(&reduced).map(parts).collect();
    let sum: f64 = all[fewer.len()..].iter().sum();
    if all.len() > EXACT { normal_tail(&all, more.len(), sum) } else { exact_tail(&all, more.len(), sum) }
}

/// The part of all ways to draw `drawn` of `all` whole numbers whose sum is at least `sum`.
fn exact_tail(all: &[f64], drawn: usize, sum: f64) -> f64 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "parts of a share: small, and not negative"
    )]
    let (all, sum): (Vec<usize>, usize) = (all.iter().map(|part| *part as usize).collect(), sum as usize);
    let most: usize = all.iter().sum();
    // By how many numbers were drawn, then by their sum: how many ways there are. At most C(64, 32), which f64 counts nearly
    // exactly.
    let mut ways = vec![vec![0.0; most + 1]; drawn + 1];
    ways[0][0] = 1.0;
    for (seen, &part) in all.iter().enumerate() {
        for number in (1..=drawn.min(seen + 1)).rev() {
            let (fewer, more) = ways.split_at_mut(number);
            for at in (part..=most).rev() {
                more[0][at] += fewer[number - 1][at - part];
            }
        }
    }
    let of_all: f64 = ways[drawn].iter().sum();
    ways[drawn][sum..].iter().sum::<f64>() / of_all
}

/// The same by the normal distribution with the moments of the permutation distribution, corrected for continuity.
fn normal_tail(all: &[f64], drawn: usize, sum: f64) -> f64 {
    let (n, drawn) = (count(all.len()), count(drawn));
    let mean = all.iter().sum::<f64>() / n;
    let variance = all.iter().map(|part| (part - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let spread = (variance * drawn * (n - drawn) / n).sqrt();
    if spread > 0.0 { 1.0 - normal_cdf((sum - 0.5 - drawn * mean) / spread) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: tries every way to draw.
    fn by_trying(all: &[f64], drawn: usize, sum: f64) -> f64 {
        let (mut hits, mut ways) = (0_u32, 0_u32);
        for mask in 0_u32..1 << all.len() {
            if mask.count_ones() as usize == drawn {
                ways += 1;
                let of: f64 = (0..all.len()).filter(|at| mask >> at & 1 == 1).map(|at| all[at]).sum();
                hits += u32::from(of >= sum);
            }
        }
        f64::from(hits) / f64::from(ways)
    }

    proptest! {
        #[test]
        fn the_exact_tail_equals_an_enumeration(
            parts in prop::collection::vec(0_u8..=200, 2..12), at in 1_usize..11,
        ) {
            let all: Vec<f64> = parts.iter().copied().map(f64::from).collect();
            let drawn = at.min(all.len() - 1);
            let sum: f64 = all[..drawn].iter().sum();
            prop_assert!((exact_tail(&all, drawn, sum) - by_trying(&all, drawn, sum)).abs() < 1e-12);
        }

        #[test]
        fn the_normal_tail_is_near_the_exact_one(parts in prop::collection::vec(0_u8..=200, 48..64)) {
            let all: Vec<f64> = parts.iter().copied().map(f64::from).collect();
            let sum: f64 = all[..24].iter().sum();
            prop_assert!((exact_tail(&all, 24, sum) - normal_tail(&all, 24, sum)).abs() < 0.01);
        }
    }

    fn test(first: &[f64], second: &[f64], exposure: f64) -> ShareTest {
        ShareTest::of(first, second, exposure).expect("boots")
    }

    /// Lost or not: then it is Fisher's exact test.
    #[test]
    fn of_whole_boots_it_is_fishers_test() {
        // Of 7 + 7 boots, 4 of the second group are lost: C(7, 4) / C(14, 4) = 35 / 1001.
        let shares = test(&[0.0; 7], &[1.0, 1.0, 1.0, 1.0, 0.0, 0.0, 0.0], 2.0);
        assert!((shares.p - 2.0 * 35.0 / 1001.0).abs() < 1e-12, "{shares:?}");
        // The lady tasting tea: three of four cups right, p = 17 / 70.
        let tea = test(&[1.0, 0.0, 0.0, 0.0], &[1.0, 1.0, 1.0, 0.0], 1.0);
        assert!((tea.p - 2.0 * 17.0 / 70.0).abs() < 1e-12, "{tea:?}");
    }

    #[test]
    fn five_rounds_are_enough_to_show_it() {
        let shares = test(&[0.0; 5], &[0.25, 0.3, 0.45, 0.2, 0.25], 2.0);
        assert!((shares.p - 2.0 / 252.0).abs() < 1e-12 && (shares.excess - 0.29).abs() < 1e-12, "{shares:?}");
        // The other way round it is as clear: no exposure explains that fewer CPUs lose more.
        let shares = test(&[0.25, 0.3, 0.45, 0.2, 0.25], &[0.0; 5], 2.0);
        assert!((shares.p - 2.0 / 252.0).abs() < 1e-12 && (shares.excess + 0.29).abs() < 1e-12, "{shares:?}");
    }

    #[test]
    fn what_exposure_explains_is_no_selection() {
        // 25 % of each CPU's time: 1 - 0.75^2 = 44 % of two CPUs'.
        let (one, two) = ([0.2, 0.25, 0.3, 0.25, 0.2, 0.3, 0.25], [0.4, 0.45, 0.5, 0.45, 0.4, 0.45, 0.4]);
        let shares = test(&one, &two, 2.0);
        assert!(shares.p > 0.2 && shares.excess < 0.01, "{shares:?}");
        assert!(test(&one, &one, 2.0).excess.abs() < 1e-12);
        // Two sides of as many CPUs have no such excuse.
        let shares = test(&one, &two, 1.0);
        assert!(shares.p < 0.001 && shares.excess > 0.15, "{shares:?}");
    }

    #[test]
    fn nothing_lost_shows_nothing_and_no_boot_is_no_test() {
        assert_eq!(test(&[0.0; 7], &[0.0; 7], 2.0).p, 1.0);
        assert_eq!(test(&[0.0; 50], &[0.0; 50], 2.0).p, 1.0);
        assert_eq!(ShareTest::of(&[], &[0.5], 2.0), None);
    }
}
