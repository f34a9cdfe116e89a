//! Rounds that count for nothing, because the host disturbed them. They are kept and listed; what was measured in them
//! plays no part in the choice.

use std::collections::BTreeMap;

use super::pace;
use super::probe::Probes;
use super::run_record::RunRecord;
use evidence::gate::ReasonCode;

/// The rounds in which the host disturbed a run, or gave less to a probe beside them, each with what it did; and those
/// that are set aside already, for what it did to another side of the round. A round of which no run was made yet is
/// among them too: it will count for nothing whatever is measured in it.
#[must_use]
pub fn disturbed_rounds(runs: &[RunRecord], probes: &Probes) -> BTreeMap<u32, String> {
    let mut disturbed = probes.slow_rounds();
    disturbed.retain(|round, _| is_held_to_speed(*round, runs));
    disturbed.extend(pace::slow_rounds(runs));
    disturbed.extend(runs.iter().filter_map(|run| Some((run.round, run.set_aside.clone()?))));
    // What a run itself was told is nearer to it than a probe.
    disturbed.extend(runs.iter().filter_map(|run| {
        let (reason, detail) = run.verdict.outcome.refusal()?;
        reason.is_the_hosts().then(|| (run.round, format!("{reason} in run {}: {detail}", run.run)))
    }));
    disturbed
}

/// Sets the iterations aside in which a CPU was slow, where a boot has several. [`Results`](super::Results) does so by
/// itself, but for one side of several: what these show together must be set aside before they are parted.
pub fn set_slow_iterations_aside(runs: &mut [RunRecord]) {
    pace::mark(runs);
}

/// Whether some run of the round shows more than function; where none was made yet, some run of the session, all of
/// whose rounds have the same.
fn is_held_to_speed(round: u32, runs: &[RunRecord]) -> bool {
    let held = |run: &RunRecord| run.functional_only.is_none();
    let mut of_round = runs.iter().filter(|run| run.round == round).peekable();
    if of_round.peek().is_some() {
        return of_round.any(held);
    }
    runs.is_empty() || runs.iter().any(held)
}

/// Whether nothing can be said of the run: the host disturbed its round, and the run itself did nothing wrong. A run that
/// failed has failed whatever became of its round.
pub(super) fn is_of_no_account(run: &RunRecord) -> bool {
    run.set_aside.is_some() && run.verdict.outcome.refusal().is_none_or(|(reason, _)| reason.is_the_hosts())
}

/// Marks every run of such a round.
pub(super) fn mark(runs: &mut [RunRecord], disturbed: &BTreeMap<u32, String>) {
    for run in runs {
        run.set_aside = disturbed.get(&run.round).cloned();
    }
}

/// The refusal, where so many of them are more than may be.
pub(super) fn too_many(count: usize, limit: u32) -> Option<(ReasonCode, String)> {
    let passes = u32::try_from(count).is_ok_and(|count| count <= limit);
    let detail = format!("{count} rounds were set aside for what the host did, at most {limit} may be");
    (!passes).then_some((ReasonCode::HostContended, detail))
}
