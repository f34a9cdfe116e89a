//! Whether B is slower than A.
//!
//! Owns the decision between two sides of one case, from their times by round, and asks for nothing but ranks: times
//! on a shared host have long tails, and one round in which the host did something else must not decide. Refuses to
//! call a difference too small to matter a regression, however sure it is, and to call silence agreement: too few or
//! too noisy rounds are [`Difference::Inconclusive`].
//!
//! Pairs are tried by two tests. The signed ranks see through what slows both sides of a round; the quick ranks see
//! through what hits one side of many rounds, and hold for pairs as well: what these have in common makes the scores more
//! even than the test takes them to be. Either may be right, at half the error each.

use std::collections::BTreeMap;

use serde::Serialize;

use super::bootstrap::Interval;
use super::ranks::{Shift, quick_ranks, signed_ranks};
use super::summary::count;

/// The confidence level of a comparison: of its interval, and 1 less the p-value from which on a difference is sure.
pub const COMPARISON_LEVEL: f64 = 0.99;

/// The least ratio that is called a difference: by less a host drifts within minutes, and a change of code layout is as
/// likely a cause as any.
pub const MIN_EFFECT: f64 = 0.015;

/// An interval within so much of 1 on either side shows that there is no difference worth the name.
pub const EQUIVALENCE: f64 = 0.02;

/// How the rounds of two sides belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// Both sides ran in the same rounds of one session: what slowed a round slowed both.
    Paired,
    /// Each ran in a session of its own.
    Unpaired,
}

/// Whose ranks a comparison goes by.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RankTest {
    /// Wilcoxon's, of the ratios of pairs.
    SignedRanks,
    /// Gastwirth's, of the quicker half of all times of both sides.
    QuickRanks,
}

/// What a comparison says of B.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// It takes longer, surely, and by enough to matter.
    Slower,
    /// It takes less time, surely, and by enough to matter.
    Faster,
    /// If there is a difference, it is surely too small to matter.
    NoDifference,
    /// The rounds do not tell.
    Inconclusive,
}

/// Two sides of one case, compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How the rounds belong together.
    pub design: Design,
    /// Rounds of A that count.
    pub rounds_a: usize,
    /// Rounds of B that count.
    pub rounds_b: usize,
    /// The test that the ratio and its interval belong to: of those tried, the surest that tells, else the surest.
    pub test: RankTest,
    /// The time of B divided by that of A: the Hodges-Lehmann estimate on logarithms.
    pub ratio: f64,
    /// The interval of the ratio by the same ranks as the test, at [`Design::level_of_each`]. Its level is below that
    /// where there are too few rounds for it.
    pub interval: Interval,
    /// Two-sided: how probable ranks so uneven are where there is no difference; where several tests are tried, the
    /// smallest times their number (Bonferroni).
    pub p_value: f64,
    /// What follows.
    pub verdict: Difference,
}

/// Compares times by round, at [`COMPARISON_LEVEL`]. Rounds that one side lacks do not count where the design is paired;
/// neither do times that are not above 0. `None` where nothing is left.
#[must_use]
pub fn compare(design: Design, a: &[(u32, f64)], b: &[(u32, f64)]) -> Option<Comparison> {
    compare_at(COMPARISON_LEVEL, design, a, b)
}

/// The level at which each of `cases` comparisons is to be made, so that all of them together are at
/// [`COMPARISON_LEVEL`]: Bonferroni's correction, which assumes nothing about how the cases depend on each other.
#[must_use]
pub fn level_for(cases: usize) -> f64 {
    1.0 - (1.0 - COMPARISON_LEVEL) / count(cases.max(1))
}

/// The same as [`compare`], at another confidence level.
#[must_use]
pub fn compare_at(level: f64, design: Design, a: &[(u32, f64)], b: &[(u32, f64)]) -> Option<Comparison> {
    let logs = |side: &[(u32, f64)]| {
        let sound = side.iter().filter(|(_, time)| time.is_finite() && *time > 0.0);
        sound.map(|&(round, time)| (round, time.ln())).collect::<Vec<_>>()
    };
    let (a, b) = (logs(a), logs(b));
    let each = design.level_of_each(level);
    match design {
        Design::Paired => {
            let a: BTreeMap<u32, f64> = a.into_iter().collect();
            let pairs = b.iter().filter_map(|&(round, b)| Some((*a.get(&round)?, b)));
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let ratios: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
            let signed = (RankTest::SignedRanks, signed_ranks(&ratios, each)?);
            let quick = (RankTest::QuickRanks, quick_ranks(&a, &b, each)?);
            conclude(level, design, [a.len(), b.len()], &[signed, quick])
        }
        Design::Unpaired => {
            let times = |side: &[(u32, f64)]| side.iter().map(|&(_, time)| time).collect::<Vec<_>>();
            let quick = (RankTest::QuickRanks, quick_ranks(&times(&a), &times(&b), each)?);
            conclude(level, design, [a.len(), b.len()], &[quick])
        }
    }
}

/// What follows from the shifts that the tests have found between the logarithms of the times.
fn conclude(
    level: f64,
    design: Design,
    [rounds_a, rounds_b]: [usize; 2],
    tried: &[(RankTest, Shift)],
) -> Option<Comparison> {
    let each = design.level_of_each(level);
    let told = |&(test, shift): &(RankTest, Shift)| (verdict(each, &shift), test, shift);
    let mut told: Vec<(Difference, RankTest, Shift)> = tried.iter().map(told).collect();
    // The surer test is heard first.
    told.sort_by(|(.., one), (.., other)| one.p_value.total_cmp(&other.p_value));
    let says = |wanted: Difference| told.iter().find(|(verdict, ..)| *verdict == wanted);
    let &(verdict, test, shift) = match (says(Difference::Slower), says(Difference::Faster)) {
        // That both are sure of opposite things does not happen by chance, and tells nothing.
        (Some(_), Some(_)) => &(Difference::Inconclusive, told[0].1, told[0].2),
        (slower, faster) => slower.or(faster).or_else(|| says(Difference::NoDifference)).or(told.first())?,
    };
    let least = tried.iter().map(|(_, shift)| shift.p_value).reduce(f64::min)?;
    Some(Comparison {
        design,
        rounds_a,
        rounds_b,
        test,
        ratio: shift.estimate.exp(),
        interval: Interval { level: shift.level, low: shift.low.exp(), high: shift.high.exp() },
        p_value: (least * count(tried.len())).min(1.0),
        verdict,
    })
}

/// What one test says.
fn verdict(level: f64, shift: &Shift) -> Difference {
    let sure = shift.p_value <= 1.0 - level;
    let (effect, margin) = (MIN_EFFECT.ln_1p(), EQUIVALENCE.ln_1p());
    match () {
        () if sure && shift.estimate >= effect => Difference::Slower,
        () if sure && shift.estimate <= -effect => Difference::Faster,
        () if shift.level >= level && shift.low >= -margin && shift.high <= margin => {
            Difference::NoDifference
        }
        () => Difference::Inconclusive,
    }
}

impl Design {
    /// The level at which each test of the design is made, so that all of them together are at `level`.
    #[must_use]
    pub fn level_of_each(self, level: f64) -> f64 {
        match self {
            Self::Paired => 1.0 - (1.0 - level) / 2.0,
            Self::Unpaired => level,
        }
    }
}

impl Difference {
    /// The word for it in results.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Slower => "slower",
            Self::Faster => "faster",
            Self::NoDifference => "no-difference",
            Self::Inconclusive => "inconclusive",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Fifteen rounds around `centre`, by up to 1.4 % off, in an order that `stride` gives.
    fn rounds(centre: f64, stride: u32) -> Vec<(u32, f64)> {
        let off = |round: u32| (f64::from(round * stride % 15) - 7.0) * 0.002;
        (0..15).map(|round| (round, centre * (1.0 + off(round)))).collect()
    }

    #[test]
    fn finds_five_percent_and_says_which_way() {
        for design in [Design::Paired, Design::Unpaired] {
            let (a, b) = (rounds(1e9, 4), rounds(1.05e9, 7));
            let found = compare(design, &a, &b).expect("rounds");
            assert_eq!(found.verdict, Difference::Slower, "{found:?}");
            assert!((found.ratio - 1.05).abs() < 0.01, "{found:?}");
            assert_eq!(compare(design, &b, &a).expect("rounds").verdict, Difference::Faster);
        }
    }

    #[test]
    fn the_more_cases_the_surer_each_must_be() {
        assert_eq!((level_for(0), level_for(1)), (COMPARISON_LEVEL, COMPARISON_LEVEL));
        assert!((level_for(4) - 0.9975).abs() < 1e-12);
        // Five rounds of which all are slower: p is 2 / 252, enough for one case and not for two.
        let a = &rounds(1e9, 4)[..5];
        let b: Vec<_> = a.iter().map(|&(round, time)| (round, time * 1.5)).collect();
        let verdict = |cases| compare_at(level_for(cases), Design::Unpaired, a, &b).expect("rounds").verdict;
        assert_eq!((verdict(1), verdict(2)), (Difference::Slower, Difference::Inconclusive));
    }

    #[test]
    fn a_sure_but_small_difference_is_none() {
        let a = rounds(1e9, 4);
        let b: Vec<_> = a.iter().map(|&(round, time)| (round, time * 1.004)).collect();
        let found = compare(Design::Paired, &a, &b).expect("rounds");
        assert!(found.p_value < 0.001);
        assert_eq!(found.verdict, Difference::NoDifference);
    }

    #[test]
    fn one_wild_round_does_not_decide() {
        let (a, mut b) = (rounds(1e9, 4), rounds(1e9, 7));
        b[3].1 *= 10.0;
        let found = compare(Design::Paired, &a, &b).expect("rounds");
        assert_ne!(found.verdict, Difference::Slower, "{found:?}");
    }

    #[test]
    fn what_leaves_the_quick_rounds_alone_is_the_host() {
        // Two rounds in five of B are slower by 30 %, the others as quick as A's: by all ranks B would be slower.
        let side = |stride: u32, late: f64| -> Vec<(u32, f64)> {
            let host = |round: u32| if round % 5 < 2 { late } else { 1.0 };
            (0..15).map(|r| (r, 1e9 * host(r) * (1.0 + f64::from(r * stride % 15) * 0.0004))).collect()
        };
        let (a, b) = (side(4, 1.0), side(7, 1.3));
        let found = compare(Design::Unpaired, &a, &b).expect("rounds");
        assert_eq!(found.verdict, Difference::NoDifference, "{found:?}");
        let slower: Vec<_> = b.iter().map(|&(round, time)| (round, time * 1.02)).collect();
        let found = compare(Design::Unpaired, &a, &slower).expect("rounds");
        assert_eq!(found.verdict, Difference::Slower, "{found:?}");
    }

    #[test]
    fn pairs_are_seen_through_drift_and_through_spikes() {
        let deviation = |round: u32, stride: u32| f64::from(round * stride % 15) * 0.0005;
        let side = |slower: f64, stride: u32, host: &dyn Fn(u32) -> f64| -> Vec<(u32, f64)> {
            (0..15).map(|r| (r, 1e9 * slower * (1.0 + deviation(r, stride)) * host(r))).collect()
        };
        // The host slows by 45 % from the first round to the last: only the pairs tell.
        let drift = |round: u32| 1.0 + 0.03 * f64::from(round);
        let found = compare(Design::Paired, &side(1.0, 4, &drift), &side(1.05, 7, &drift)).expect("rounds");
        assert_eq!((found.verdict, found.test), (Difference::Slower, RankTest::SignedRanks), "{found:?}");
        // It takes away half as much again from one side of every fifth round: only the quick ranks tell.
        let of_a = |round: u32| if round % 5 == 1 { 1.5 } else { 1.0 };
        let of_b = |round: u32| if round % 5 == 3 { 1.5 } else { 1.0 };
        let found = compare(Design::Paired, &side(1.0, 4, &of_a), &side(1.05, 7, &of_b)).expect("rounds");
        assert_eq!((found.verdict, found.test), (Difference::Slower, RankTest::QuickRanks), "{found:?}");
        assert_eq!((found.interval.level * 1e3).floor(), 995.0);
    }

    #[test]
    fn few_or_noisy_rounds_do_not_tell() {
        let few = compare(Design::Paired, &rounds(1e9, 4)[..5], &rounds(2e9, 7)[..5]).expect("rounds");
        assert_eq!(few.verdict, Difference::Inconclusive);
        let noisy: Vec<_> = (0..15).map(|i| (i, 1e9 * (1.0 + 0.1 * f64::from(i * 7 % 15)))).collect();
        let found = compare(Design::Unpaired, &rounds(1.7e9, 4), &noisy).expect("rounds");
        assert_eq!(found.verdict, Difference::Inconclusive, "{found:?}");
    }

    #[test]
    fn pairs_by_round_and_leaves_out_what_has_no_partner() {
        let a = [(0, 1.0), (1, 1.0), (3, 1.0)];
        let b = [(3, 2.0), (1, 2.0), (2, 9.0)];
        let found = compare(Design::Paired, &a, &b).expect("two rounds");
        assert_eq!((found.rounds_a, found.rounds_b), (2, 2));
        assert!((found.ratio - 2.0).abs() < 1e-12);
        assert_eq!(compare(Design::Paired, &a, &[(7, 1.0)]), None);
        assert_eq!(compare(Design::Unpaired, &a, &[(0, 0.0)]), None);
    }

    fn side() -> impl Strategy<Value = Vec<(u32, f64)>> {
        let times = prop::collection::vec(0.5_f64..2.0, 1..20);
        times.prop_map(|times| (0..).zip(times).collect())
    }

    proptest! {
        #[test]
        fn swapping_the_sides_inverts_the_verdict(a in side(), b in side(), paired: bool) {
            let design = if paired { Design::Paired } else { Design::Unpaired };
            let there = compare(design, &a, &b).expect("rounds");
            let back = compare(design, &b, &a).expect("rounds");
            let inverted = match there.verdict {
                Difference::Slower => Difference::Faster,
                Difference::Faster => Difference::Slower,
                other => other,
            };
            prop_assert_eq!(back.verdict, inverted);
            prop_assert!((there.ratio * back.ratio - 1.0).abs() < 1e-9);
            prop_assert!((there.interval.low * back.interval.high - 1.0).abs() < 1e-9);
            prop_assert_eq!(there.p_value, back.p_value);
        }

        #[test]
        fn the_unit_of_time_does_not_matter(a in side(), b in side(), unit in 1.0_f64..1e9) {
            let scaled = |side: &[(u32, f64)]| side.iter().map(|&(r, t)| (r, t * unit)).collect::<Vec<_>>();
            let one = compare(Design::Unpaired, &a, &b).expect("rounds");
            let other = compare(Design::Unpaired, &scaled(&a), &scaled(&b)).expect("rounds");
            prop_assert!((one.ratio - other.ratio).abs() < 1e-6);
        }
    }
}
