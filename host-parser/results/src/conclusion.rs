//! The results in one word, for an exit code.

use super::model::Results;
use super::not_run;
use crate::Claim;
use evidence::gate::{Measurement, ReasonCode};

/// What came of an experiment.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Conclusion {
    /// Every run passed, and nothing was claimed.
    Measured,
    /// Every run passed, and the claim holds.
    Holds,
    /// Every run passed, and the claim holds undisturbed, but not as experienced.
    HoldsUndisturbed,
    /// Every run passed, and there is one boot only: no claim across boots can be made.
    WithinBoot,
    /// Every run passed, and the claim does not hold.
    DoesNotHold,
    /// Every run passed, and the rounds do not decide the claim.
    Inconclusive,
    /// A run did not pass, or nothing could be claimed; the reason's [class](ReasonCode::class) says what that means.
    Refused(ReasonCode),
}

impl Results {
    /// What came of it.
    #[must_use]
    pub fn conclusion(&self) -> Conclusion {
        if let Some((reason, _)) = self.refusal() {
            return Conclusion::Refused(reason);
        }
        let conclusion = self.of_claim();
        let not_run = not_run::refusal(&self.not_run, |_| true).filter(|_| self.complete);
        // A claim does not rest on the rows of the platform; without one they are what was measured.
        if conclusion == Conclusion::Measured && self.has_failed_series() {
            return Conclusion::Refused(ReasonCode::VerifierMismatch);
        }
        match (conclusion, not_run) {
            // What was found of the cases that ran stands; but not all that was asked for was done.
            (
                Conclusion::Measured
                | Conclusion::Holds
                | Conclusion::HoldsUndisturbed
                | Conclusion::WithinBoot,
                Some((reason, _)),
            ) => Conclusion::Refused(reason),
            (conclusion, _) => conclusion,
        }
    }

    /// Whether a row of the platform has no figure because its oracle failed, in a run that counts.
    fn has_failed_series(&self) -> bool {
        let counted = self.runs.iter().filter(|run| run.excluded.is_none());
        let mut platforms =
            counted.filter_map(|run| run.verdict.outcome.measurement().and_then(Measurement::platform));
        platforms.any(|platform| platform.failed().next().is_some())
    }

    fn of_claim(&self) -> Conclusion {
        match self.claim.as_ref().map(|report| &report.claim) {
            None => Conclusion::Measured,
            Some(Claim::Holds(_)) => Conclusion::Holds,
            Some(Claim::HoldsUndisturbed(_)) => Conclusion::HoldsUndisturbed,
            Some(Claim::WithinBoot { .. }) => Conclusion::WithinBoot,
            Some(Claim::DoesNotHold(_)) => Conclusion::DoesNotHold,
            Some(Claim::Inconclusive(_)) => Conclusion::Inconclusive,
            Some(Claim::NotMade { reason, .. }) => Conclusion::Refused(*reason),
        }
    }
}
