//! What does not count: excluded rounds, runs and iterations, and runs that did not pass.

use std::collections::{BTreeMap, BTreeSet};

use evidence::gate::{Exclusion, Measurement, Sample, Scope};
use results::{Group, Pairing, Repeats, Results, RunRecord, Selection, System, patience_in_words};

use crate::number::percent;

/// The excluded rounds and runs, each with its reason, and the excluded iterations.
pub(crate) fn excluded(results: &Results) -> Vec<String> {
    let rounds = &results.excluded_rounds;
    let repeats = results.experiment.repeats;
    let mut lines = Vec::new();
    if let Some((lost, repeats)) = results.runs_lost.filter(|&lost| lost > 0).zip(repeats) {
        let again = results.runs.iter().filter(|run| run.attempt > 0).count();
        lines.extend([
            String::new(),
            format!(
                "{lost} runs do not count ({}); {again} were made again, each at most {} times",
                most_lost(results, repeats),
                repeats.times
            ),
        ]);
        lines.extend(results.runs.iter().filter_map(excluded_run));
    }
    if !rounds.is_empty() {
        let most = match repeats {
            Some(_) => String::new(),
            None => format!(" (at most {} may be)", results.experiment.set_aside_limit),
        };
        lines.extend([String::new(), format!("{} rounds excluded{most}:", rounds.len())]);
        lines.extend(rounds.iter().map(|(round, why)| format!("  round {round}: {why}")));
    }
    let counted = results.runs.iter().filter(|run| run.excluded.is_none());
    let measured: Vec<&Measurement> = counted.filter_map(|run| run.verdict.outcome.measurement()).collect();
    match results.experiment.pairing {
        Pairing::Iterations => lines.extend(measured.into_iter().flat_map(excluded_iterations)),
        Pairing::Runs => lines.extend(excluded_iterations_in_all(&measured)),
    }
    lines.extend(excluded_shares(results));
    lines
}

/// How many runs may be lost: a number, or with patience a share.
fn most_lost(results: &Results, Repeats { limit, runs_per_round, .. }: Repeats) -> String {
    let Some(patience) = results.experiment.patience() else {
        return format!("at most {limit} may be lost");
    };
    let wanted = results.experiment.rounds.unwrap_or(1).max(1) * runs_per_round.max(1);
    format!(
        "patience {}; at most {} may be lost for each that counts",
        patience_in_words(patience),
        limit / wanted
    )
}

/// A run that is excluded by itself, and not with its round.
fn excluded_run(run: &RunRecord) -> Option<String> {
    let Exclusion { reason, detail, scope: Scope::Run { .. } } = run.excluded.as_deref()? else {
        return None;
    };
    let (system, case) = (run.system, run.case.map(|case| format!(" case {case}")).unwrap_or_default());
    let RunRecord { run, round_number, attempt, .. } = run;
    Some(format!(
        "  run {run} round {round_number} {system}{case} attempt {}: {reason}: {detail}",
        attempt + 1
    ))
}

/// The excluded share of each case and system, with the comparisons, if anything is excluded.
fn excluded_shares(results: &Results) -> Vec<String> {
    let Selection { shares, tests, .. } = &results.selection;
    if shares.iter().all(|of| of.share <= 0.0) {
        return Vec::new();
    }
    let head = "excluded by the evidence of each case's own runs, as a mean over first attempts:".to_owned();
    let several = shares.iter().any(|of| of.system != shares[0].system);
    let name = |Group { system, case }| {
        if several { format!("{system} case {case}") } else { format!("case {case}") }
    };
    let each = shares.iter().map(|of| {
        let (name, share) = (name(Group { system: of.system, case: of.case }), percent(of.share));
        format!("  {name}: {share} % ({} of {} runs do not count)", of.runs_excluded, of.runs)
    });
    let compared = tests.iter().map(|of| {
        let (first, second) = (name(of.first_group), name(of.second_group));
        format!("  {second} compared with {first}: p = {:.2}", of.test.p)
    });
    [String::new(), head].into_iter().chain(each).chain(compared).collect()
}

/// The excluded iterations of a boot whose iterations are rounds, each with its reason.
fn excluded_iterations(measured: &Measurement) -> Vec<String> {
    let why = |sample: &Sample| Some((sample.iteration, sample.excluded.as_deref().cloned()?));
    let iterations: BTreeMap<u16, Exclusion> = measured.samples().iter().filter_map(why).collect();
    if iterations.is_empty() {
        return Vec::new();
    }
    let all: BTreeSet<u16> = measured.samples().iter().map(|sample| sample.iteration).collect();
    let head = format!("{} of {} iterations excluded:", iterations.len(), all.len());
    let each = iterations.into_iter().map(|(number, why)| format!("  iteration {}: {why}", number + 1));
    [String::new(), head].into_iter().chain(each).collect()
}

/// How many iterations of all boots are excluded, by reason, in a line: samples.csv has each.
fn excluded_iterations_in_all(measured: &[&Measurement]) -> Vec<String> {
    let samples: Vec<&Sample> = measured.iter().flat_map(|measured| measured.samples()).collect();
    let mut by_reason: BTreeMap<&str, usize> = BTreeMap::new();
    for exclusion in samples.iter().filter_map(|sample| sample.excluded.as_ref()) {
        *by_reason.entry(exclusion.reason.code()).or_default() += 1;
    }
    let excluded: usize = by_reason.values().sum();
    if excluded == 0 {
        return Vec::new();
    }
    let reasons: Vec<String> = by_reason.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let line = format!(
        "{excluded} of {} iterations excluded (each boot must keep at least half): {}",
        samples.len(),
        reasons.join(", ")
    );
    vec![String::new(), line]
}

/// A run that did not pass, in one line. One that the host disturbed is listed with the excluded rounds.
pub(crate) fn refused(run: &RunRecord) -> Option<String> {
    let (reason, detail) = run.verdict.outcome.refusal()?;
    if run.excluded.is_some() && reason.is_the_hosts() {
        return None;
    }
    let case = run.case.map(|case| format!(" case {case}")).unwrap_or_default();
    let system = if run.system == System::Assay { String::new() } else { format!(" {}", run.system) };
    let word = run.verdict.outcome.word();
    Some(format!("run {} round {}{system}{case}: {word}: {reason}: {detail}", run.run, run.round_number))
}
