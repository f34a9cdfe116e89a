//! Cases that were asked for, by the plan or by the manifest, and did not run.

use std::collections::BTreeMap;

use evidence::gate::ReasonCode;
use serde::Serialize;

use crate::model::Experiment;
use crate::run_record::RunRecord;

/// A case that did not run.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NotRun {
    /// The case, named by how many workers it has.
    pub case: u16,
    /// Whether the experiment was to have it. If not, only a plan for machines of any size had it.
    pub asked: bool,
    /// Why it did not run, in words.
    pub why: String,
}

/// The cases that no run has, of those asked for and of those that a guest skipped.
pub(crate) fn not_run(experiment: &Experiment, runs: &[RunRecord]) -> Vec<NotRun> {
    let mut missing: BTreeMap<u16, NotRun> = BTreeMap::new();
    for &case in experiment.cases.iter().filter(|&&case| !has(runs, case)) {
        let why = "no run of it is there".to_owned();
        missing.insert(case, NotRun { case, asked: true, why });
    }
    for run in runs {
        let Some(measured) = run.verdict.outcome.measurement() else { continue };
        for &case in measured.skipped().iter().filter(|&&case| !has(runs, case)) {
            let cpus = measured.machine().cpus_online;
            let plural = if cpus == 1 { "" } else { "s" };
            let why = format!("skipped by the guest, which had {cpus} CPU{plural} online");
            let asked = experiment.cases.contains(&case);
            missing.insert(case, NotRun { case, asked, why });
        }
    }
    missing.into_values().collect()
}

/// Whether a run has the case, or was to have it and has a reason of its own.
fn has(runs: &[RunRecord], case: u16) -> bool {
    runs.iter().any(|run| match run.verdict.outcome.measurement() {
        Some(measured) => measured.samples().iter().any(|sample| sample.case == case),
        None => run.case == Some(case),
    })
}

/// Why there is no answer, if one of the cases for which `needed` is true was asked for and did not run.
pub(crate) fn refusal(not_run: &[NotRun], needed: impl Fn(u16) -> bool) -> Option<(ReasonCode, String)> {
    let NotRun { case, why, .. } = not_run.iter().find(|of| of.asked && needed(of.case))?;
    Some((ReasonCode::CaseSkipped, format!("case {case} was to be run: {why}")))
}
