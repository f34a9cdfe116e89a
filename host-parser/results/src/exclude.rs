//! Exclusions applied to runs: which of them count, and when too few do.

use std::collections::BTreeMap;

use evidence::gate::{Exclusion, ReasonCode, Scope};
use evidence::ledger::{JudgedRun, Ledger};

use super::run_record::RunRecord;

impl<'a> From<&'a RunRecord> for JudgedRun<'a> {
    fn from(run: &'a RunRecord) -> Self {
        Self {
            run: run.run,
            round: run.round,
            held_to_speed: run.functional_only.is_none(),
            verdict: &run.verdict,
            carried: run.excluded.as_ref(),
        }
    }
}

/// Excludes the iterations beside which a CPU was slow, if their boot has others; the round of a lone one is excluded.
pub fn exclude_iterations(runs: &mut [RunRecord], ledger: &Ledger) {
    for run in runs {
        let Some(measured) = run.verdict.outcome.measurement_mut() else { continue };
        if measured.is_alone() {
            continue;
        }
        for exclusion in ledger.excluded_iterations(run.run) {
            if let Scope::Iteration { iteration, .. } = exclusion.scope {
                measured.exclude(iteration, &exclusion);
            }
        }
    }
}

/// Whether the run has no say: its round is excluded, and the run itself did nothing wrong. A run that failed has failed,
/// excluded round or not.
pub(super) fn has_no_say(run: &RunRecord) -> bool {
    run.excluded.is_some() && run.verdict.outcome.refusal().is_none_or(|(reason, _)| reason.is_the_hosts())
}

/// Marks every run of an excluded round.
pub(super) fn mark(runs: &mut [RunRecord], rounds: &BTreeMap<u32, Exclusion>) {
    for run in runs {
        run.excluded = rounds.get(&run.round).cloned();
    }
}

/// The refusal, if more rounds are excluded than may be.
pub(super) fn too_many(count: usize, limit: u32) -> Option<(ReasonCode, String)> {
    let passes = u32::try_from(count).is_ok_and(|count| count <= limit);
    let detail =
        format!("{count} rounds were excluded because the host disturbed them, at most {limit} may be");
    (!passes).then_some((ReasonCode::HostContended, detail))
}
