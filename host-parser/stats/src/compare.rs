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
    /// The rounds do not decide it.
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
    /// The test that the ratio and its interval belong to: of those tried, the surest that decides, else the surest.
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
/// neither do times that are not above 0. `None` if nothing is left.
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
        // That both are sure of opposite things does not happen by chance, and decides nothing.
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
mod tests;
