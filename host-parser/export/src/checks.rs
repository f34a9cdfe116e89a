//! A session as tests: what passed, failed, is in error, or was skipped. A refusal is never a pass.

use evidence::gate::{Class, ReasonCode};
use results::session::{CaseVerdict, Differing, SessionComparison};
use results::{Claim, Conclusion, Results};
use stats::Difference;

/// What became of a test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// It passed.
    Passed,
    /// The evidence is sound, and says that something is not as it should be. The code, and what.
    Failed(String, String),
    /// The evidence does not hold, so there is no answer.
    Error(String, String),
    /// There is no answer, and nothing is wrong: the host was busy, the rounds do not decide, this machine cannot answer.
    Skipped(String, String),
}

/// One test.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Check {
    /// Its name, of letters, digits, dots and dashes.
    pub name: String,
    /// What became of it.
    pub outcome: Outcome,
}

/// The tests of a session: its claim or, without one, whether it measured; and each run that did not pass.
pub fn checks(results: &Results) -> Vec<Check> {
    let mut checks = vec![match &results.claim {
        Some(report) => Check {
            name: format!("claim.speed-up-{}-{}", report.rule.from, report.rule.to),
            outcome: of_claim(results, &report.claim),
        },
        None => Check { name: "measured".to_owned(), outcome: of_session(results) },
    }];
    for run in &results.runs {
        let Some((reason, detail)) = run.verdict.outcome.refusal() else { continue };
        let outcome = refused(reason, detail);
        checks.push(Check { name: format!("evidence.run-{}", run.run), outcome });
    }
    checks
}

fn of_claim(results: &Results, claim: &Claim) -> Outcome {
    let said = || report::facts::claim(results).map(|of| of.lines.join("; ")).unwrap_or_default();
    let skipped = |code: &str| Outcome::Skipped(code.to_owned(), said());
    match claim {
        // All runs of the claim's cases passed, but not all that was to be done was done.
        Claim::Holds(_) => of_session(results),
        Claim::DoesNotHold(_) => Outcome::Failed("does-not-hold".to_owned(), said()),
        Claim::HoldsUndisturbed(_) => skipped("holds-undisturbed"),
        Claim::WithinBoot { .. } => skipped("within-boot"),
        Claim::Inconclusive(_) => skipped("inconclusive"),
        Claim::NotMade { reason, detail } => refused(*reason, detail),
    }
}

fn of_session(results: &Results) -> Outcome {
    match results.conclusion() {
        Conclusion::Refused(reason) => {
            let detail = results.refusal().map(|(_, detail)| detail);
            refused(reason, &detail.unwrap_or_else(|| reason.meaning().to_owned()))
        }
        _ => Outcome::Passed,
    }
}

/// A refusal by its reason: what the host did, and what this machine cannot answer, is no failure of anything tested.
fn refused(reason: ReasonCode, detail: &str) -> Outcome {
    let (code, detail) = (reason.code().to_owned(), detail.to_owned());
    if reason.is_a_disturbance() || reason.is_a_busy_host() || reason == ReasonCode::Cancelled {
        return Outcome::Skipped(code, detail);
    }
    match reason.class() {
        Class::Failed => Outcome::Failed(code, detail),
        Class::Invalid => Outcome::Error(code, detail),
        Class::Unsupported => Outcome::Skipped(code, detail),
    }
}

/// The tests of a comparison: one for each case that both sessions have; one if they must not be compared.
#[must_use]
pub fn of_comparison(comparison: &SessionComparison) -> Vec<Check> {
    if comparison.refused.is_empty() {
        return comparison.cases.iter().map(of_case).collect();
    }
    let each = comparison.refused.iter().map(|Differing { what, a, b }| format!("{what}: A {a}, B {b}"));
    let detail = each.collect::<Vec<_>>().join("; ");
    let outcome = Outcome::Error(ReasonCode::NotComparable.code().to_owned(), detail);
    vec![Check { name: "compare".to_owned(), outcome }]
}

fn of_case(case: &CaseVerdict) -> Check {
    let compared = case.figures.iter().filter_map(|figure| figure.comparison.as_ref());
    let figures: Vec<String> = compared
        .map(|of| format!("B/A {:.4}, {:.4} to {:.4}", of.ratio, of.interval.low, of.interval.high))
        .collect();
    let said = figures.join("; ");
    let outcome = match case.verdict {
        Some(verdict @ Difference::Slower) => Outcome::Failed(verdict.word().to_owned(), said),
        Some(verdict @ Difference::Inconclusive) => Outcome::Skipped(verdict.word().to_owned(), said),
        Some(Difference::Faster | Difference::NoDifference) => Outcome::Passed,
        None if case.functional_only.is_some() => {
            let why = "a side has more CPUs than its host: it shows function and not speed".to_owned();
            Outcome::Skipped("functional-only".to_owned(), why)
        }
        None => Outcome::Skipped("no-rounds".to_owned(), "no round of both sides counts".to_owned()),
    };
    Check { name: format!("compare.case-{}", case.case), outcome }
}
