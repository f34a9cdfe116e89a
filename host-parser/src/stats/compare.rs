//! Whether B is slower than A.
//!
//! Owns the decision between two sides of one case, from their times by round, and asks for nothing but ranks: times
//! on a shared host have long tails, and one round in which the host did something else must not decide. Refuses to
//! call a difference too small to matter a regression, however sure it is, and to call silence agreement: too few or
//! too noisy rounds are [`Difference::Inconclusive`].
//!
//! Pairs are tried by two tests, each by its distribution where the sides of pairs are swapped: the signed ranks see
//! through what slows both sides of a round, the quick ranks through what hits one side of many rounds. Either may tell a
//! difference, at half the error each. That there is none must be told by both, and of two sessions by all ranks as well
//! as by the quick ones: a side that is slow in some of its rounds only is not called alike for the others' sake.

use std::collections::BTreeMap;

use serde::Serialize;

use super::median::Interval;
use super::ranks::{Shift, all_ranks, quick_pairs, quick_ranks, signed_ranks};
use super::summary::count;

/// The confidence level of a comparison: of its interval, and 1 less the p-value from which on a difference is sure.
pub const COMPARISON_LEVEL: f64 = 0.99;

/// The least ratio that is called a difference: by less a host drifts within minutes, and a change of code layout is as
/// likely a cause as any.
pub const MIN_EFFECT: f64 = 0.015;

/// An interval within so much of 1 on either side shows that there is no difference worth the name.
pub const EQUIVALENCE: f64 = 0.02;

/// Sessions with fewer rounds than this a side tell nothing. With fewer in one the other's many would do for the level,
/// and the few be what is judged.
pub const LEAST_ROUNDS: usize = 5;

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
    /// Where that is nothing: the quick rounds are alike, and the slower ones are not known to be.
    pub only_quick_alike: bool,
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
    let times = |side: Vec<(u32, f64)>| side.into_iter().map(|(_, time)| time).collect::<Vec<f64>>();
    let (found, quick) = match design {
        Design::Paired => {
            let of_a: BTreeMap<u32, f64> = a.into_iter().collect();
            let pairs = b.iter().filter_map(|&(round, b)| Some((*of_a.get(&round)?, b)));
            let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
            let ratios: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
            let signed = (RankTest::SignedRanks, signed_ranks(&ratios, each)?);
            let quick = (RankTest::QuickRanks, quick_pairs(&a, &b, each)?);
            let found = conclude(level, design, [a.len(), b.len()], &[signed, quick], None)?;
            (found, quick_ranks(&a, &b, each)?)
        }
        Design::Unpaired => {
            let (a, b) = (times(a), times(b));
            let quick = quick_ranks(&a, &b, each)?;
            let (tried, all) = ([(RankTest::QuickRanks, quick)], all_ranks(&a, &b, each));
            (conclude(level, design, [a.len(), b.len()], &tried, all)?, quick)
        }
    };
    let only_quick_alike = found.verdict == Difference::Inconclusive && within_margin(each, &quick);
    Some(Comparison { only_quick_alike, ..found })
}

/// What follows from the shifts that the tests have found between the logarithms of the times. `all` is the shift of all
/// rounds, where it is to be no more than the margin as well before there is said to be no difference.
fn conclude(
    level: f64,
    design: Design,
    [rounds_a, rounds_b]: [usize; 2],
    tried: &[(RankTest, Shift)],
    all: Option<Shift>,
) -> Option<Comparison> {
    let each = design.level_of_each(level);
    let told = |&(test, shift): &(RankTest, Shift)| (verdict(each, &shift), test, shift);
    let mut told: Vec<(Difference, RankTest, Shift)> = tried.iter().map(told).collect();
    // The surer test is heard first.
    told.sort_by(|(.., one), (.., other)| one.p_value.total_cmp(&other.p_value));
    let surest = told.first()?;
    let says = |wanted: Difference| told.iter().find(|(verdict, ..)| *verdict == wanted);
    let alike = told.iter().all(|(verdict, ..)| *verdict == Difference::NoDifference)
        && all.is_none_or(|shift| within_margin(each, &shift));
    let (verdict, by) = match (says(Difference::Slower), says(Difference::Faster)) {
        _ if rounds_a.min(rounds_b) < LEAST_ROUNDS => (Difference::Inconclusive, surest),
        // That both are sure of opposite things does not happen by chance, and tells nothing.
        (Some(_), Some(_)) => (Difference::Inconclusive, surest),
        (Some(slower), None) => (Difference::Slower, slower),
        (None, Some(faster)) => (Difference::Faster, faster),
        (None, None) if alike => (Difference::NoDifference, surest),
        (None, None) => (Difference::Inconclusive, surest),
    };
    let &(_, test, shift) = by;
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
        only_quick_alike: false,
    })
}

/// What one test says.
fn verdict(level: f64, shift: &Shift) -> Difference {
    let sure = shift.p_value <= 1.0 - level;
    let effect = MIN_EFFECT.ln_1p();
    match () {
        () if sure && shift.estimate >= effect => Difference::Slower,
        () if sure && shift.estimate <= -effect => Difference::Faster,
        () if within_margin(level, shift) => Difference::NoDifference,
        () => Difference::Inconclusive,
    }
}

/// Whether a difference worth the name is ruled out.
fn within_margin(level: f64, shift: &Shift) -> bool {
    let margin = EQUIVALENCE.ln_1p();
    shift.level >= level && shift.low >= -margin && shift.high <= margin
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
    fn alike_in_the_quick_rounds_only_is_not_alike() {
        // Two rounds in five of B are slower by 30 %, the others as quick as A's. It may be the host, or what happens in
        // some boots: it is no verdict either way.
        let side = |stride: u32, late: f64| -> Vec<(u32, f64)> {
            let host = |round: u32| if round % 5 < 2 { late } else { 1.0 };
            (0..15).map(|r| (r, 1e9 * host(r) * (1.0 + f64::from(r * stride % 15) * 0.0004))).collect()
        };
        let (a, b) = (side(4, 1.0), side(7, 1.3));
        for design in [Design::Unpaired, Design::Paired] {
            let found = compare(design, &a, &b).expect("rounds");
            assert_eq!(
                (found.verdict, found.only_quick_alike),
                (Difference::Inconclusive, true),
                "{found:?}"
            );
        }
        // Where both sides have as many of them it is the host, and pairs and sessions are alike.
        let found = compare(Design::Unpaired, &side(4, 1.0), &side(7, 1.0)).expect("rounds");
        assert_eq!((found.verdict, found.only_quick_alike), (Difference::NoDifference, false), "{found:?}");
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

    /// What docs/MEASUREMENT.md says: 9, 10, 11 and 11 in pairs, 5, 6, 6 and 6 in each of two sessions.
    #[test]
    fn the_more_cases_the_more_rounds_it_takes() {
        let least = |design, cases| {
            (1..20).find(|&rounds| {
                let (a, b) = (&rounds_of(1.0)[..rounds], &rounds_of(2.0)[..rounds]);
                compare_at(level_for(cases), design, a, b).expect("rounds").verdict == Difference::Slower
            })
        };
        let of = |design| [1, 2, 3, 4].map(|cases| least(design, cases).expect("enough"));
        assert_eq!(of(Design::Paired), [9, 10, 11, 11]);
        assert_eq!(of(Design::Unpaired), [5, 6, 6, 6]);
    }

    fn rounds_of(times: f64) -> Vec<(u32, f64)> {
        rounds(1e9 * times, 4)
            .into_iter()
            .chain(rounds(1e9 * times, 7).into_iter().map(|(r, t)| (15 + r, t)))
            .collect()
    }

    #[test]
    fn few_rounds_of_one_side_tell_nothing_however_many_the_other_has() {
        let (few, many) = (&rounds(1e9, 4)[..4], rounds(2e9, 7));
        let found = compare(Design::Unpaired, few, &many).expect("rounds");
        assert!(found.p_value <= 0.01, "{found:?}");
        assert_eq!(found.verdict, Difference::Inconclusive);
        let found = compare(Design::Unpaired, &rounds(1e9, 4)[..5], &many).expect("rounds");
        assert_eq!(found.verdict, Difference::Slower);
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
