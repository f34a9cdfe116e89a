//! Whether an experiment's claim holds, and how sure that is.

use evidence::gate::{ReasonCode, limits};
use serde::{Deserialize, Serialize};
use stats::{Interval, fair_tosses_at_most};

use super::experienced::{ExperiencedCase, ExperiencedSpeedup, made, speedup_between};
use super::neighbours::Neighbours;
use super::run_record::RunRecord;
use super::selection;
use super::series::{MedianOfIterations, Pairing, Scope, Series, Speedup};
use super::system::System;

/// An experiment's claim: a least speed-up from one case to another.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimRule {
    /// The case that is the yardstick.
    pub from: u16,
    /// The case that is faster.
    pub to: u16,
    /// The least median speed-up.
    pub min_speedup: f64,
}

/// What became of the claim. In JSON the key `verdict` names it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Claim {
    /// Undisturbed and as experienced, every interval reaches the least speed-up.
    Holds(ClaimEvidence),
    /// The undisturbed intervals reach it, and as experienced one does not.
    HoldsUndisturbed(ClaimEvidence),
    /// An undisturbed interval is wholly below it, and no interval reaches it.
    DoesNotHold(ClaimEvidence),
    /// The rounds do not decide it, or the figures contradict each other.
    Inconclusive(ClaimEvidence),
    /// There is one boot only. What its iterations show says nothing about other boots, so there is no claim.
    WithinBoot {
        /// What they show of this boot.
        within: Shown,
        /// What that rests on.
        #[serde(flatten)]
        evidence: ClaimEvidence,
    },
    /// There is nothing to base a claim on.
    NotMade {
        /// Why.
        reason: ReasonCode,
        /// The particulars.
        detail: String,
    },
}

/// What the figures show of a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Shown {
    /// All figures reach it.
    Holds,
    /// The undisturbed ones do, and not all of those as experienced.
    HoldsUndisturbed,
    /// An undisturbed one is below it, and none reaches it.
    DoesNotHold,
    /// Anything else.
    Inconclusive,
}

/// What a claim rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimEvidence {
    /// The undisturbed median speed-up over the rounds.
    pub median: f64,
    /// Whether that median reaches the least speed-up.
    pub median_reaches: bool,
    /// The interval of that median.
    pub interval: Interval,
    /// What the intervals are about.
    pub scope: Scope,
    /// How many rounds there are.
    pub rounds: usize,
    /// How many of them reach the least speed-up.
    pub rounds_reaching: usize,
    /// By the two-sided sign test, which assumes nothing about the distribution: how sure it is that the true median is
    /// on one side of the least speed-up, the one where most rounds are.
    pub sign_confidence: f64,
    /// The undisturbed speed-up by the median of each boot's iterations; `None` if boots have one iteration each.
    pub iterations_median: Option<MedianOfIterations>,
    /// The speed-up as experienced.
    pub experienced: Option<ExperiencedSpeedup>,
    /// The smaller of both cases' parts of the iterations made that count.
    pub used: f64,
    /// What the neighbours took.
    pub neighbours: Option<Neighbours>,
}

/// What a claim is judged by.
pub(crate) struct Judged<'a> {
    /// The system.
    pub system: System,
    /// All runs that were made.
    pub runs: &'a [RunRecord],
    /// What a round is.
    pub pairing: Pairing,
    /// The system's undisturbed samples.
    pub series: &'a Series,
    /// Every case of every system as experienced.
    pub cases: &'a [ExperiencedCase],
}

impl Judged<'_> {
    /// The cases of the claim as experienced.
    fn cases_of(&self, rule: &ClaimRule) -> impl Iterator<Item = &ExperiencedCase> {
        let (system, cases) = (self.system, [rule.from, rule.to]);
        self.cases.iter().filter(move |of| of.system == system && cases.contains(&of.case))
    }
}

/// Judges a claim. `refusal` is the weightiest reason why a run of the experiment did not pass, or why the experiment
/// is not complete: then nothing is claimed.
pub(crate) fn claim(rule: &ClaimRule, judged: &Judged<'_>, refusal: Option<(ReasonCode, String)>) -> Claim {
    if let Some((reason, detail)) = refusal.or_else(|| unfit(rule, judged)) {
        return Claim::NotMade { reason, detail };
    }
    let speedup = judged.series.speedup(rule.from, rule.to);
    let rounds = speedup.as_ref().map_or(0, |speedup| speedup.ratios.len());
    match speedup.and_then(|speedup| Some((speedup.interval?, speedup))) {
        Some((_, speedup)) if is_superlinear(rule, speedup.median) => {
            let detail = format!(
                "the median speed-up from {} to {} workers is {:.3} (limit {} per mille more than the ratio of the workers)",
                rule.from,
                rule.to,
                speedup.median,
                limits::SUPERLINEAR_PER_MILLE
            );
            Claim::NotMade { reason: ReasonCode::Superlinear, detail }
        }
        Some((interval, speedup)) if rounds >= limits::CLAIM_ROUNDS => {
            decide(rule, interval, speedup, judged)
        }
        _ => {
            let (from, to, least) = (rule.from, rule.to, limits::CLAIM_ROUNDS);
            let detail =
                format!("{rounds} rounds have both case {from} and case {to}, a claim needs {least}");
            Claim::NotMade { reason: ReasonCode::TooFewRounds, detail }
        }
    }
}

/// Whether more workers are faster by more than there are more of them, and by more than the clocks allow.
fn is_superlinear(rule: &ClaimRule, median: f64) -> bool {
    let ratio = f64::from(rule.to) / f64::from(rule.from);
    median > ratio * (1.0 + limits::SUPERLINEAR_PER_MILLE as f64 / 1_000.0)
}

/// Why nothing can be claimed of the cases, whatever they took.
fn unfit(rule: &ClaimRule, judged: &Judged<'_>) -> Option<(ReasonCode, String)> {
    let cases = [rule.from, rule.to];
    for case in cases {
        if let Some(only) = judged.series.functional_only(case) {
            let detail = format!("case {case} ran with {} vCPUs on {} host CPUs", only.vcpus, only.host_cpus);
            return Some((ReasonCode::Oversubscribed, detail));
        }
    }
    if let Some(case) = cases.into_iter().find(|&case| judged.series.smt(case)) {
        let detail = format!("workers of case {case} shared cores, by the CPUs' own word");
        return Some((ReasonCode::SharedCores, detail));
    }
    let few =
        judged.cases_of(rule).filter(|of| !of.is_enough()).min_by(|a, b| a.used().total_cmp(&b.used()))?;
    let detail = format!(
        "{} of the {} iterations of case {} that were made count ({:.0} %), a claim needs half of them",
        few.iterations_counted,
        few.iterations,
        few.case,
        few.used() * 100.0
    );
    Some((ReasonCode::HostContended, detail))
}

fn decide(rule: &ClaimRule, interval: Interval, speedup: Speedup, judged: &Judged<'_>) -> Claim {
    let rounds = speedup.ratios.len();
    let rounds_reaching = speedup.at_least(rule.min_speedup);
    let fewer = rounds_reaching.min(rounds - rounds_reaching);
    let &Judged { system, runs, pairing, .. } = judged;
    let experienced = speedup_between(pairing, runs, system, [rule.from, rule.to]);
    let neighbours = experienced.as_ref().map(|of| Neighbours::new(runs, system, &speedup, of));
    let evidence = ClaimEvidence {
        median: speedup.median,
        median_reaches: speedup.median >= rule.min_speedup,
        interval,
        scope: speedup.scope,
        rounds,
        rounds_reaching,
        sign_confidence: (1.0 - 2.0 * fair_tosses_at_most(fewer, rounds)).max(0.0),
        used: judged.cases_of(rule).map(ExperiencedCase::used).reduce(f64::min).unwrap_or_default(),
        neighbours,
        iterations_median: speedup.iterations_median,
        experienced,
    };
    let shown = evidence.shown(rule.min_speedup);
    let mut shown = shown;
    if matches!(shown, Shown::Holds | Shown::HoldsUndisturbed)
        && let Some(detail) = selection::decides(rule, made(pairing, runs, system, [rule.from, rule.to]))
    {
        if evidence.used < 1.0 {
            return Claim::NotMade { reason: ReasonCode::Selection, detail };
        }
        // Nothing was left out, so that nothing can have been selected: the times vary too much to show it.
        shown = Shown::Inconclusive;
    }
    match (evidence.scope, shown) {
        (Scope::WithinBoot, within) => Claim::WithinBoot { within, evidence },
        (Scope::AcrossBoots, Shown::Holds) => Claim::Holds(evidence),
        (Scope::AcrossBoots, Shown::HoldsUndisturbed) => Claim::HoldsUndisturbed(evidence),
        (Scope::AcrossBoots, Shown::DoesNotHold) => Claim::DoesNotHold(evidence),
        (Scope::AcrossBoots, Shown::Inconclusive) => Claim::Inconclusive(evidence),
    }
}

/// Where an interval lies.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Side {
    Reaches,
    Below,
    Open,
}

impl Side {
    /// Without an interval, or with an end that is no number, nothing is shown.
    fn of(interval: Option<Interval>, least: f64) -> Self {
        match interval {
            Some(interval) if interval.low >= least => Self::Reaches,
            Some(interval) if interval.high < least => Self::Below,
            _ => Self::Open,
        }
    }
}

impl ClaimEvidence {
    /// What the intervals show of a least speed-up.
    fn shown(&self, least: f64) -> Shown {
        let mut undisturbed = vec![Side::of(Some(self.interval), least)];
        undisturbed.extend(self.iterations_median.iter().map(|of| Side::of(of.interval, least)));
        let experienced = match &self.experienced {
            Some(of) => [of.interval, of.by_mean.interval].map(|interval| Side::of(interval, least)),
            None => [Side::Open; 2],
        };
        let reach = |sides: &[Side]| sides.iter().all(|&side| side == Side::Reaches);
        let any = |sides: &[Side], wanted| sides.contains(&wanted);
        let reached = any(&undisturbed, Side::Reaches) || any(&experienced, Side::Reaches);
        match () {
            () if reach(&undisturbed) && reach(&experienced) => Shown::Holds,
            () if reach(&undisturbed) => Shown::HoldsUndisturbed,
            () if any(&undisturbed, Side::Below) && !reached => Shown::DoesNotHold,
            () => Shown::Inconclusive,
        }
    }
}
