//! Whether a log is of the run that the chain and the manifest describe.
//!
//! The gate compares a log with what the chain says was expected of it. Both are written by the operator: a chain that
//! expects nothing accepts any log. The manifest decides what a session is about, and its SHA-256 is in the first line,
//! from which every challenge follows. So a run that passed must also be of the manifest's experiment, and of the system
//! and the case for which the chain counts it.

use evidence::gate::Measurement;
use experiment::manifest::Manifest;

use super::entry::RunEntry;

/// In what a run that passed is not the one that the chain and the manifest describe, in words.
pub(super) fn contradictions(entry: &RunEntry, measured: &Measurement, manifest: &Manifest) -> Vec<String> {
    let run = entry.run;
    let mut found = Vec::new();
    let (logged, counted) = (measured.machine().system, entry.system);
    if logged != counted.name() {
        found.push(format!(
            "run {run} counts as one of {counted}, but its log is of the system {}",
            logged.word()
        ));
    }
    // A control's guest can run other cases than it was asked for: that is what it is for.
    let cases = measured.cases();
    if let Some(case) = entry.case.filter(|&case| !manifest.kernel_errs() && cases != [case]) {
        found.push(format!("run {run} counts as one of case {case}, but its log is of the cases {cases:?}"));
    }
    if entry.case.is_some() == manifest.sweep().is_some() {
        let due = if entry.case.is_some() { "no case: the manifest sweeps" } else { "a case" };
        found.push(format!("run {run} was to have {due}"));
    }
    let identity = measured.identity();
    let logged = (identity.experiment.as_str(), identity.workload.as_str(), identity.whole);
    let name = manifest.name();
    let due = (name.as_str(), manifest.program(), manifest.params());
    if logged != due {
        let words = |(name, program, whole): (&str, &str, [u64; 4])| format!("{name} ({program} {whole:?})");
        found.push(format!("run {run} is of {}, but the manifest describes {}", words(logged), words(due)));
    }
    found
}
