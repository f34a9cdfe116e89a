//! How many more rounds would decide a comparison that is inconclusive.
//!
//! By the interval that was seen, and by nothing else. The half-width `h` of an interval from ranks falls with the root of
//! the number of rounds, as that of a mean does (Hodges and Lehmann, "Estimates of Location Based on Rank Tests", Annals of
//! Mathematical Statistics 34(2), 1963). With `s` the logarithm of the ratio and `m` that of the margin, a comparison is
//! decided when the half-width is at most the room `r` that there is:
//!
//! - `r = s` if `s >= m`: the interval must leave 1;
//! - `r = m - s` if `s < m`: the interval must lie within the margin.
//!
//! So `n` rounds must become `n (h / r)^2`. It is an estimate: `s` and `h` vary with the rounds that were made, and formulas
//! of this kind give too few rounds rather than too many (Kupper and Hafner, "How Appropriate Are Popular Sample Size
//! Formulas?", The American Statistician 43(2), 1989). The tests have how often that many rounds decide.

use crate::compare::{Comparison, Design};
use crate::summary::count;

/// The most rounds that are worth a hint.
pub const MOST_MORE_ROUNDS: u32 = 1_000;

impl Comparison {
    /// About how many more rounds of each side would decide it, if they vary as those that were made. `None` if they are
    /// more than [`MOST_MORE_ROUNDS`], or the ratio is at the margin itself.
    #[must_use]
    pub fn more_rounds(&self) -> Option<u32> {
        let shift = self.ratio.ln().abs();
        let half = (self.interval.high / self.interval.low).ln() / 2.0;
        let margin = self.margin.ln_1p();
        let room = if shift >= margin { shift } else { margin - shift };
        let made = count(self.rounds_a.min(self.rounds_b));
        let needed = (made * (half / room).powi(2)).ceil() - made;
        // Not a number, or infinite, if nothing is narrow enough.
        let more = (1..=MOST_MORE_ROUNDS).find(|&more| f64::from(more) >= needed);
        more.filter(|_| needed.is_finite())
    }
}

/// The fewest rounds with which `figures` that share the error `error` can be certain of a difference at all: each of two
/// tests of pairs has 2 in 2^n as its least p-value.
#[must_use]
pub fn least_rounds(design: Design, error: f64, figures: usize) -> u32 {
    let each = (1.0 - design.level_of_each(1.0 - error)) / count(figures.max(1));
    (1..64).find(|&rounds| 2.0 * 0.5_f64.powi(rounds) <= each).unwrap_or(64).unsigned_abs()
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;
    use crate::{Difference, Interval, RankTest, compare};

    fn seen(ratio: f64, low: f64, high: f64) -> Comparison {
        Comparison {
            design: Design::Paired,
            rounds_a: 16,
            rounds_b: 16,
            test: RankTest::SignedRank,
            ratio,
            interval: Interval { low, high, level: 0.99 },
            p_value: 0.5,
            margin: 0.015,
            verdict: Difference::Inconclusive,
            only_quick_alike: false,
            dependence: None,
            held_back: None,
        }
    }

    #[test]
    fn an_interval_twice_too_wide_needs_four_times_the_rounds() {
        // 3 % slower, the interval from 3 % faster to 9 % slower.
        let (ratio, half) = (0.03_f64, 0.06_f64);
        let wide = seen(ratio.exp(), (ratio - half).exp(), (ratio + half).exp());
        assert_eq!(wide.more_rounds(), Some(48));
        // Equal, the interval twice as wide as the margin; then with twice the margin it is decided already.
        let half = 2.0 * 0.015_f64.ln_1p();
        let equal = seen(1.0, (-half).exp(), half.exp());
        assert_eq!(equal.more_rounds(), Some(48));
        assert_eq!(Comparison { margin: 0.031, ..equal }.more_rounds(), Some(1));
    }

    #[test]
    fn what_lies_at_the_margin_is_not_promised_a_number() {
        assert_eq!(seen(1.015 - 1e-6, 0.9, 1.2).more_rounds(), None);
        assert_eq!(seen(f64::NAN, 0.9, 1.2).more_rounds(), None);
    }

    #[test]
    fn the_fewest_rounds_follow_from_the_error() {
        let of = |figures| least_rounds(Design::Paired, 0.01, figures);
        assert_eq!([1, 2, 3, 4].map(of), [9, 10, 11, 11]);
        assert_eq!(least_rounds(Design::Paired, 0.05, 1), 7);
    }

    /// Times of rounds that vary by 1 % each, B slower by `percent`.
    fn rounds(random: &mut SplitMix64, from: u32, to: u32, percent: f64) -> [Vec<(u32, f64)>; 2] {
        let mut side = |scale: f64| -> Vec<(u32, f64)> {
            // The sum of twelve uniform numbers less 6 has a deviation of 1 and is nearly normal.
            let mut normal = || (0..12).map(|_| random.draw() as f64 / u64::MAX as f64).sum::<f64>() - 6.0;
            (from..to).map(|round| (round, 1e9 * scale * (0.01 * normal()).exp())).collect()
        };
        [side(1.0), side(1.0 + percent / 100.0)]
    }

    /// Of comparisons that are inconclusive after 12 rounds, the part that is decided when so many halves of the proposed
    /// further rounds are made, and the mean number proposed.
    fn decided(percent: f64, halves: u32) -> (f64, f64) {
        let mut random = SplitMix64::new(7);
        let (mut open, mut decided, mut sum) = (0, 0, 0.0);
        for _ in 0..600 {
            let [mut a, mut b] = rounds(&mut random, 0, 12, percent);
            let first = compare(Design::Paired, &a, &b).expect("rounds");
            let proposed = (first.verdict == Difference::Inconclusive).then(|| first.more_rounds()).flatten();
            let Some(more) = proposed.filter(|&more| more <= 200) else { continue };
            let more_made = (more * halves).div_ceil(2);
            let [more_a, more_b] = rounds(&mut random, 12, 12 + more_made, percent);
            a.extend(more_a);
            b.extend(more_b);
            let then = compare(Design::Paired, &a, &b).expect("rounds");
            open += 1;
            sum += f64::from(more);
            decided += usize::from(then.verdict != Difference::Inconclusive);
        }
        assert!(open >= 30, "{open} of 600 comparisons were open");
        (decided as f64 / f64::from(open), sum / f64::from(open))
    }

    #[test]
    fn as_many_rounds_as_proposed_decide_simulated_comparisons() {
        for percent in [0.0, 2.0] {
            let ((half, _), (all, mean), (twice, _)) =
                (decided(percent, 1), decided(percent, 2), decided(percent, 4));
            println!(
                "{percent} % slower: {mean:.0} rounds proposed; half of them decide {half:.2}, all {all:.2}, twice {twice:.2}"
            );
            assert!(half <= all && all <= twice, "{percent}: {half} {all} {twice}");
            assert!(all >= 0.5 && twice >= 0.8, "{percent}: {all} {twice}");
        }
    }
}
