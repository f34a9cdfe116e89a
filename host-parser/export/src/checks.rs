//! A session as tests: what passed, failed, is in error, or was skipped. A refusal is never a pass.

use evidence::gate::{Class, ReasonCode};
use results::{Claim, Conclusion, Results};

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
    if reason.is_a_disturbance() || matches!(reason, ReasonCode::HostContended | ReasonCode::Cancelled) {
        return Outcome::Skipped(code, detail);
    }
    match reason.class() {
        Class::Failed => Outcome::Failed(code, detail),
        Class::Invalid => Outcome::Error(code, detail),
        Class::Unsupported => Outcome::Skipped(code, detail),
    }
}
