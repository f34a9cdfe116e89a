//! Whether B is slower than A: the decision between two samples of times, one time a round.
//!
//! Only ranks count, because times on a shared host have long tails, and one round in which the host did something else
//! must not decide. A difference too small to matter is not called a regression, however certain it is. Silence is not
//! called agreement: with too few or too noisy rounds the verdict is [`Difference::Inconclusive`].
//!
//! Pairs are tested twice, and both null distributions come from swapping A and B within rounds. The signed-rank test sees
//! through what slows both sides of a round; Gastwirth's test sees through what hits one side of many rounds. Either may
//! find a difference, at half the error each. For no difference both tests must agree, and between two sessions the
//! rank-sum test of all rounds must agree as well: a side that is slow in some of its rounds is not called alike because of
//! the others.
//!
//! Two sessions are compared as if their rounds were independent, and the hosts of both alike. [`Dependence`] and
//! [`HostShift`] examine that. What they find widens the interval, or takes the verdict back.

use std::collections::BTreeMap;

use serde::Serialize;

use super::dependence::Dependence;
use super::host_shift::HostShift;
use super::median::Interval;
use super::ranks::{Shift, gastwirth, gastwirth_paired, rank_sum, signed_rank};
use super::summary::count;

/// The confidence level of a comparison. Its interval has this level, and a difference is certain from a p-value of 1 less
/// this level.
pub const COMPARISON_LEVEL: f64 = 0.99;

/// The smallest ratio, less 1, that is called a difference. A host drifts by less than this within minutes, and a change of
/// code layout is as likely a cause as any. It is the margin of equivalence too: an interval that lies within this distance
/// of 1 leaves no room for a difference that the test is there to find.
pub const MIN_EFFECT: f64 = 0.015;

/// What a comparison is held to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// The confidence level. [`COMPARISON_LEVEL`] unless several comparisons share the error, or another was asked for.
    pub level: f64,
    /// The smallest ratio, less 1, that is called a difference, and the margin of equivalence. [`MIN_EFFECT`] unless another
    /// was asked for.
    pub margin: f64,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { level: COMPARISON_LEVEL, margin: MIN_EFFECT }
    }
}

impl Thresholds {
    /// The same for each of `comparisons`, so that all of them together are at this level: Bonferroni's correction (Dunn,
    /// "Multiple Comparisons Among Means", Journal of the American Statistical Association 56(293), 1961). It assumes nothing
    /// about how the comparisons depend on each other.
    #[must_use]
    pub fn each_of(self, comparisons: usize) -> Self {
        Self { level: 1.0 - (1.0 - self.level) / count(comparisons.max(1)), ..self }
    }

    /// The same for what must be shown to be alike before anything is compared (hosts, paces): a wider margin does not
    /// make two hosts one.
    #[must_use]
    pub fn for_likeness(self) -> Self {
        Self { margin: self.margin.min(MIN_EFFECT), ..self }
    }
}

/// The fewest rounds of a side. With fewer on one side, many rounds of the other could still reach the level, and the
/// verdict would be on the few.
pub const LEAST_ROUNDS: usize = 5;

/// How the rounds of A and B belong together.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Design {
    /// Both ran in the same rounds of one session: what slowed a round slowed both.
    Paired,
    /// Each ran in a session by itself.
    Unpaired,
}

/// The test that a comparison rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
pub enum RankTest {
    /// Wilcoxon's, of the ratios of pairs.
    #[serde(rename = "signed-ranks")]
    SignedRank,
    /// Gastwirth's, of the faster half of all times of A and B.
    #[serde(rename = "quick-ranks")]
    Gastwirth,
}

/// The verdict on B.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Difference {
    /// It certainly takes longer, and by enough to matter.
    Slower,
    /// It certainly takes less time, and by enough to matter.
    Faster,
    /// If there is a difference, it is certainly too small to matter.
    NoDifference,
    /// The rounds do not decide it.
    Inconclusive,
}

/// Why two sessions get no verdict, whatever their rounds show.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum HeldBack {
    /// There are too few rounds to exclude that they depend on each other.
    DependenceUnknown,
    /// The rounds of a session are shown to depend on those before them.
    DependentRounds,
    /// There are too few native probes to exclude that the host changed between the sessions.
    HostUnknown,
    /// The native probes do not prove that the host was alike in both sessions.
    HostNotAlike,
}

/// A and B of one case, compared.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Comparison {
    /// How the rounds belong together.
    pub design: Design,
    /// Rounds of A that count.
    pub rounds_a: usize,
    /// Rounds of B that count.
    pub rounds_b: usize,
    /// The test that ratio and interval come from: of the tests that agree with the verdict, or else of all, the one with
    /// the smallest p-value.
    pub test: RankTest,
    /// The time of B divided by that of A: the Hodges-Lehmann estimate on logarithms.
    pub ratio: f64,
    /// The interval of the ratio by the same test, at [`Design::level_of_each`]. Its level is lower if there are too few
    /// rounds.
    pub interval: Interval,
    /// The probability of ranks at least as uneven if there is no difference, two-sided. With several tests it is the
    /// smallest p-value times their number (Bonferroni).
    pub p_value: f64,
    /// The smallest ratio, less 1, that is called a difference, and the margin of equivalence.
    pub margin: f64,
    /// The verdict.
    pub verdict: Difference,
    /// Set if the verdict is inconclusive only because of slow rounds: the faster halves are alike, and the slower rounds
    /// are not shown to be.
    pub only_quick_alike: bool,
    /// How the rounds of two sessions depend on those before them, by which the interval is widened. `None` in pairs, and
    /// if there are too few rounds to estimate it.
    pub dependence: Option<Dependence>,
    /// Why the verdict is inconclusive whatever the interval is.
    pub held_back: Option<HeldBack>,
}

/// The result of one test.
#[derive(Clone, Copy, Debug)]
struct Tested {
    test: RankTest,
    shift: Shift,
    verdict: Difference,
}

/// Compares times by round, at [`COMPARISON_LEVEL`]. Paired, a round counts if both sides have it. Times that are not above
/// 0 do not count. `None` if nothing is left.
#[must_use]
pub fn compare(design: Design, a: &[(u32, f64)], b: &[(u32, f64)]) -> Option<Comparison> {
    compare_at(COMPARISON_LEVEL, design, a, b)
}

/// The level for each of `cases` comparisons, so that all of them together are at [`COMPARISON_LEVEL`].
#[must_use]
pub fn level_for(cases: usize) -> f64 {
    Thresholds::default().each_of(cases).level
}

/// The same as [`compare`], at another confidence level.
#[must_use]
pub fn compare_at(level: f64, design: Design, a: &[(u32, f64)], b: &[(u32, f64)]) -> Option<Comparison> {
    compare_with(Thresholds { level, ..Thresholds::default() }, design, a, b)
}

/// The same as [`compare`], with other thresholds.
#[must_use]
pub fn compare_with(
    thresholds: Thresholds,
    design: Design,
    a: &[(u32, f64)],
    b: &[(u32, f64)],
) -> Option<Comparison> {
    let each = Thresholds { level: design.level_of_each(thresholds.level), ..thresholds };
    match design {
        Design::Paired => compare_paired(each, a, b),
        Design::Unpaired => compare_unpaired(each, a, b),
    }
}

fn compare_paired(each: Thresholds, a: &[(u32, f64)], b: &[(u32, f64)]) -> Option<Comparison> {
    let of_a: BTreeMap<u32, f64> = log_times(a).collect();
    let pairs = log_times(b).filter_map(|(round, of_b)| Some((*of_a.get(&round)?, of_b)));
    let (a, b): (Vec<f64>, Vec<f64>) = pairs.unzip();
    let log_ratios: Vec<f64> = a.iter().zip(&b).map(|(a, b)| b - a).collect();
    let level = each.level;
    let tested = [
        Tested::new(RankTest::SignedRank, signed_rank(&log_ratios, level)?, each),
        Tested::new(RankTest::Gastwirth, gastwirth_paired(&a, &b, level)?, each),
    ];
    let alike = tested.iter().all(|tested| tested.verdict == Difference::NoDifference);
    let fast_half_alike = is_within_margin(&gastwirth(&a, &b, level)?, each);
    let found = conclude(Design::Paired, [a.len(), b.len()], &tested, alike, fast_half_alike);
    Some(Comparison { margin: each.margin, ..found })
}

/// Each side is in the order in which its rounds were made.
fn compare_unpaired(each: Thresholds, a: &[(u32, f64)], b: &[(u32, f64)]) -> Option<Comparison> {
    let [a, b] = [a, b].map(|times| log_times(times).map(|(_, time)| time).collect::<Vec<f64>>());
    let level = each.level;
    let dependence = Dependence::of(&a, &b);
    let widening = dependence.map_or(1.0, |dependence| dependence.widening);
    let tested = Tested::new(RankTest::Gastwirth, gastwirth(&a, &b, level)?.widened(widening), each);
    let all_rounds_alike = is_within_margin(&rank_sum(&a, &b, level)?.widened(widening), each);
    let alike = tested.verdict == Difference::NoDifference && all_rounds_alike;
    let fast_half_alike = is_within_margin(&tested.shift, each);
    let found = conclude(Design::Unpaired, [a.len(), b.len()], &[tested], alike, fast_half_alike);
    let held_back = match dependence {
        None => Some(HeldBack::DependenceUnknown),
        Some(dependence) if dependence.evident => Some(HeldBack::DependentRounds),
        Some(_) => None,
    };
    Some(Comparison { dependence, margin: each.margin, ..found }.held_back_by(held_back))
}

/// The interval of the ratio of B to A that spans those of Gastwirth's test and of the rank-sum test; no verdict.
pub(crate) fn by_both_ranks(a: &[f64], b: &[f64], level: f64) -> Option<Interval> {
    let [a, b] = [a, b].map(|times| times.iter().map(|time| time.ln()).collect::<Vec<f64>>());
    let (fast, all) = (gastwirth(&a, &b, level)?, rank_sum(&a, &b, level)?);
    let (low, high) = (fast.low.min(all.low), fast.high.max(all.high));
    Some(Interval { level: fast.level.min(all.level), low: low.exp(), high: high.exp() })
}

impl Comparison {
    /// The same comparison of two sessions, with what is known of how far apart their hosts were: the interval is widened by
    /// that of the probes, and a verdict stays if it still follows. Without proof that the host was alike there is none.
    #[must_use]
    pub fn on_host(self, shift: Option<&HostShift>) -> Self {
        let Some(shift) = shift else { return self.held_back_by(Some(HeldBack::HostUnknown)) };
        let (low, high) = (self.interval.low / shift.interval.high, self.interval.high / shift.interval.low);
        let widened = Self { interval: Interval { low, high, ..self.interval }, ..self };
        if !shift.alike {
            return widened.held_back_by(Some(HeldBack::HostNotAlike));
        }
        let margin = 1.0 + self.margin;
        let follows = match widened.verdict {
            Difference::Slower => low > 1.0,
            Difference::Faster => high < 1.0,
            Difference::NoDifference => low >= 1.0 / margin && high <= margin,
            Difference::Inconclusive => true,
        };
        if follows { widened } else { Self { verdict: Difference::Inconclusive, ..widened } }
    }

    /// The same without a verdict, if there is a reason for that. The first reason stays.
    #[must_use]
    fn held_back_by(self, reason: Option<HeldBack>) -> Self {
        match self.held_back.or(reason) {
            None => self,
            held_back => Self { verdict: Difference::Inconclusive, held_back, ..self },
        }
    }
}

/// The logarithms of the times that are above 0 and finite, by round.
fn log_times(times: &[(u32, f64)]) -> impl Iterator<Item = (u32, f64)> {
    let sound = times.iter().filter(|(_, time)| time.is_finite() && *time > 0.0);
    sound.map(|&(round, time)| (round, time.ln()))
}

/// Draws the conclusion from `tested`, which is not empty. `alike` is whether all that is asked for no difference is met.
fn conclude(
    design: Design,
    [rounds_a, rounds_b]: [usize; 2],
    tested: &[Tested],
    alike: bool,
    fast_half_alike: bool,
) -> Comparison {
    let most_certain = most_certain(tested).expect("a design has a test");
    let slower = most_certain_of(tested, Difference::Slower);
    let faster = most_certain_of(tested, Difference::Faster);
    let (verdict, decisive) = match (slower, faster) {
        _ if rounds_a.min(rounds_b) < LEAST_ROUNDS => (Difference::Inconclusive, most_certain),
        // Two tests that are certain of opposite things do not come about by chance, and decide nothing.
        (Some(_), Some(_)) => (Difference::Inconclusive, most_certain),
        (Some(slower), None) => (Difference::Slower, slower),
        (None, Some(faster)) => (Difference::Faster, faster),
        (None, None) if alike => (Difference::NoDifference, most_certain),
        (None, None) => (Difference::Inconclusive, most_certain),
    };
    let shift = decisive.shift;
    Comparison {
        design,
        rounds_a,
        rounds_b,
        test: decisive.test,
        ratio: shift.estimate.exp(),
        interval: Interval { level: shift.level, low: shift.low.exp(), high: shift.high.exp() },
        p_value: (most_certain.shift.p_value * count(tested.len())).min(1.0),
        margin: MIN_EFFECT,
        verdict,
        only_quick_alike: verdict == Difference::Inconclusive && fast_half_alike,
        dependence: None,
        held_back: None,
    }
}

/// The test with the smallest p-value; of equal ones the first.
fn most_certain<'t>(tested: impl IntoIterator<Item = &'t Tested>) -> Option<&'t Tested> {
    tested.into_iter().min_by(|one, other| one.shift.p_value.total_cmp(&other.shift.p_value))
}

/// The same among the tests with this verdict.
fn most_certain_of(tested: &[Tested], verdict: Difference) -> Option<&Tested> {
    most_certain(tested.iter().filter(|tested| tested.verdict == verdict))
}

impl Tested {
    fn new(test: RankTest, shift: Shift, held_to: Thresholds) -> Self {
        Self { test, shift, verdict: verdict_of_one(&shift, held_to) }
    }
}

/// The verdict of one test alone.
fn verdict_of_one(shift: &Shift, held_to: Thresholds) -> Difference {
    let is_certain = shift.p_value <= 1.0 - held_to.level;
    let effect = held_to.margin.ln_1p();
    // A widened interval may have 0 however small the p-value is.
    if is_certain && shift.low > 0.0 && shift.estimate >= effect {
        Difference::Slower
    } else if is_certain && shift.high < 0.0 && shift.estimate <= -effect {
        Difference::Faster
    } else if is_within_margin(shift, held_to) {
        Difference::NoDifference
    } else {
        Difference::Inconclusive
    }
}

/// Whether the interval rules out a difference that matters.
fn is_within_margin(shift: &Shift, held_to: Thresholds) -> bool {
    let margin = held_to.margin.ln_1p();
    shift.level >= held_to.level && shift.low >= -margin && shift.high <= margin
}

impl Design {
    /// The level of each test of the design, so that all of them together are at `level`.
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
