//! Whether an experiment's claim holds, and how sure that is.

use evidence::gate::{ReasonCode, limits};
use serde::{Deserialize, Serialize};
use stats::{Interval, fair_tosses_at_most};

use super::series::{Series, Speedup};

/// An experiment's claim: a least speed-up from one case to another.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
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
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum Claim {
    /// The whole interval of the median reaches the least speed-up.
    Holds(ClaimEvidence),
    /// The whole interval is below it.
    DoesNotHold(ClaimEvidence),
    /// The interval contains it: the rounds do not decide it.
    Inconclusive(ClaimEvidence),
    /// There is nothing to base a claim on.
    NotMade {
        /// Why.
        reason: ReasonCode,
        /// The particulars.
        detail: String,
    },
}

/// What a claim rests on.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimEvidence {
    /// The median speed-up over the rounds.
    pub median: f64,
    /// Whether the median itself reaches the least speed-up.
    pub median_reaches: bool,
    /// The interval of the median.
    pub interval: Interval,
    /// How many rounds there are.
    pub rounds: usize,
    /// How many of them reach the least speed-up.
    pub rounds_reaching: usize,
    /// By the sign test, which assumes nothing about the distribution: how sure it is that the true median is on the
    /// side where this one is.
    pub sign_confidence: f64,
}

/// Judges a claim. `refusal` is the weightiest reason why a run of the experiment did not pass, or why the experiment
/// is not complete: then nothing is claimed.
#[must_use]
pub fn claim(rule: &ClaimRule, series: &Series, refusal: Option<(ReasonCode, String)>) -> Claim {
    if let Some((reason, detail)) = refusal {
        return Claim::NotMade { reason, detail };
    }
    for case in [rule.from, rule.to] {
        if let Some(only) = series.functional_only(case) {
            let detail = format!("case {case} ran with {} vCPUs on {} host CPUs", only.vcpus, only.host_cpus);
            return Claim::NotMade { reason: ReasonCode::Oversubscribed, detail };
        }
    }
    if let Some(case) = [rule.from, rule.to].into_iter().find(|&case| series.smt(case)) {
        let detail = format!("workers of case {case} shared cores, by the CPUs' own word");
        return Claim::NotMade { reason: ReasonCode::SharedCores, detail };
    }
    let speedup = series.speedup(rule.from, rule.to);
    let rounds = speedup.as_ref().map_or(0, |speedup| speedup.ratios.len());
    match speedup.and_then(|speedup| Some((speedup.interval?, speedup))) {
        Some((interval, speedup)) if rounds >= limits::CLAIM_ROUNDS => decide(rule, interval, &speedup),
        _ => {
            let (from, to, least) = (rule.from, rule.to, limits::CLAIM_ROUNDS);
            let detail =
                format!("{rounds} rounds have both case {from} and case {to}, a claim needs {least}");
            Claim::NotMade { reason: ReasonCode::TooFewRounds, detail }
        }
    }
}

fn decide(rule: &ClaimRule, interval: Interval, speedup: &Speedup) -> Claim {
    let rounds = speedup.ratios.len();
    let rounds_reaching = speedup.at_least(rule.min_speedup);
    let median_reaches = speedup.median >= rule.min_speedup;
    let against = if median_reaches { rounds - rounds_reaching } else { rounds_reaching };
    let evidence = ClaimEvidence {
        median: speedup.median,
        median_reaches,
        interval,
        rounds,
        rounds_reaching,
        sign_confidence: 1.0 - fair_tosses_at_most(against, rounds),
    };
    match () {
        () if interval.low >= rule.min_speedup => Claim::Holds(evidence),
        () if interval.high < rule.min_speedup => Claim::DoesNotHold(evidence),
        () => Claim::Inconclusive(evidence),
    }
}
