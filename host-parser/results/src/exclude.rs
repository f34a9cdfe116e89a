//! Exclusions applied to runs: which of them count, and when too few do.

use std::collections::{BTreeMap, BTreeSet};

use evidence::gate::{Exclusion, ReasonCode, Scope};
use evidence::ledger::{JudgedRun, Ledger, Place};

use super::model::Experiment;
use super::run_record::RunRecord;

impl<'a> From<&'a RunRecord> for JudgedRun<'a> {
    fn from(run: &'a RunRecord) -> Self {
        Self {
            run: run.run,
            round: run.round,
            place: place(run),
            held_to_speed: run.functional_only.is_none(),
            verdict: &run.verdict,
            carried: run.excluded.as_deref(),
        }
    }
}

/// Which of a round's runs it is. Logs from elsewhere have no schedule, and none is a further attempt at another.
fn place(run: &RunRecord) -> Place {
    let is_a_log = run.made.sealed.as_ref().is_none_or(|sealed| sealed.log_sha256.is_none());
    if run.case.is_none() && is_a_log {
        return Place::Alone(run.run);
    }
    Place::Of { set: run.set, system: run.system as u8, case: run.case }
}

/// Excludes the runs that the host disturbed, if a disturbed run is made again, and numbers the attempts.
pub(super) fn exclude_runs(runs: &mut [RunRecord], experiment: &Experiment, ledger: &Ledger) {
    if experiment.repeats.is_none() {
        return;
    }
    for run in runs {
        run.attempt = ledger.attempt(run.round, run.run);
        run.excluded = ledger.exclusion_of_run(run.run).map(Box::new);
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
        if let Some(exclusion) = rounds.get(&run.round) {
            run.excluded = Some(Box::new(exclusion.clone()));
        }
    }
}

/// How much of a session does not count, and how much does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lost {
    /// Rounds that are excluded.
    pub rounds: usize,
    /// Runs that do not count, if a disturbed run is made again.
    pub runs: usize,
    /// Rounds that count.
    pub counted: usize,
    /// Whether the session's time was over.
    pub out_of_patience: bool,
}

impl Lost {
    /// That of a session with these runs and excluded rounds.
    pub fn of(runs: &[RunRecord], excluded: &BTreeMap<u32, Exclusion>, lost: usize, over: bool) -> Self {
        let made: BTreeSet<u32> =
            runs.iter().filter(|run| run.excluded.is_none()).map(|run| run.round).collect();
        Self { rounds: excluded.len(), runs: lost, counted: made.len(), out_of_patience: over }
    }
}

/// The refusal, if more is excluded than may be: of rounds, or of runs if a disturbed run is made again.
pub(super) fn too_many(experiment: &Experiment, lost: Lost) -> Option<(ReasonCode, String)> {
    let Lost { rounds, runs, counted, out_of_patience } = lost;
    if experiment.patience_ms.is_some() {
        return experiment.too_many_for_patience(runs, counted, out_of_patience);
    }
    let (count, limit, detail) = match &experiment.repeats {
        Some(repeats) => {
            let detail = "runs do not count because the host disturbed them or their round";
            (runs, repeats.limit, detail)
        }
        None => (rounds, experiment.set_aside_limit, "rounds were excluded because the host disturbed them"),
    };
    let passes = u32::try_from(count).is_ok_and(|count| count <= limit);
    (!passes).then(|| (ReasonCode::HostContended, format!("{count} {detail}, at most {limit} may be")))
}
