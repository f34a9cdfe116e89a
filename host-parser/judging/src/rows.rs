//! The results of one row, and how rows differ.

use std::fmt::Write as _;

use evidence::gate::{Measurement, Row, Scaling};
use experiment::manifest::Manifest;
use results::{ClaimRule, Completion, Environment, Experiment, Pairing, Results, RunRecord, Tool};

/// The results of a row's boots. The n-th boot of a case, or of the same cases, belongs to round n. If there is only one
/// boot, and it has several cases, each iteration is a round, and shows something of this boot only. What the boots leave open
/// is in `not_known`.
#[must_use]
pub fn results(runs: Vec<RunRecord>, manifest: Option<&Manifest>, tool: &Tool) -> Results {
    let measurements = || runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    let sweep = measurements().find_map(|measured| measured.sweep());
    let pairing = Pairing::of(runs.iter().map(|run| &run.verdict));
    let measured = measured(&runs);
    let name = measured.map(|measured| measured.identity().experiment.to_string());
    let experiment = Experiment {
        name: name.unwrap_or_else(|| "unknown".to_owned()),
        label: None,
        manifest: manifest.map(|manifest| manifest.path().display().to_string()),
        manifest_sha256: manifest.map(|manifest| manifest.sha256().to_string()),
        pairing,
        rounds: None,
        set_aside_limit: 0,
        repeats: None,
        patience_ms: None,
        cases: manifest.map(|manifest| manifest.cases().to_vec()).unwrap_or_default(),
        order_seed: sweep.map(|sweep| sweep.order_seed),
        claim: manifest.and_then(Manifest::gate).map(|gate| ClaimRule {
            from: gate.from_workers,
            to: gate.to_workers,
            min_speedup: gate.min_speedup,
        }),
        scaling: measurements().find_map(|of| of.identity().scaling).filter(|&of| of == Scaling::Weak),
        work_unit: manifest
            .filter(|of| of.outside().is_some())
            .map(|of| of.workload().units().work.to_owned()),
    };
    let firmware = measured.map(|measured| measured.machine().firmware.to_string());
    let environment = Environment { firmware, ..Environment::default() };
    let mut results = Results::new(experiment, environment, runs, Completion::Complete);
    results.tool = tool.clone();
    results.not_known = not_shown(&results);
    results
}

/// Says that there are several rows, and in what each differs from the first.
#[must_use]
pub fn introduction(rows: &[Row]) -> String {
    let mut text = format!(
        "{} ROWS: the boots are not all of one system on one machine with one program\n\
         and one plan. No figure of one row is divided by a figure of another.\n",
        rows.len()
    );
    let Some((first, others)) = rows.split_first() else { return text };
    for (number, other) in (2..).zip(others) {
        for difference in first.differences(other) {
            let _ = writeln!(text, "row {number} differs in {}:", difference.subject);
            let _ = writeln!(text, "  row 1: {}\n  row {number}: {}", difference.ours, difference.theirs);
        }
    }
    text
}

/// What the boots of a row do not show, of what others do.
fn not_shown(results: &Results) -> Vec<String> {
    let measured = || results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    let mut lines = Vec::new();
    if measured().any(|boot| boot.clock().second.is_none_or(|second| !second.independent)) {
        lines.push(
            "whether the TSC kept its rate: no independent clock was read beside it, so the times rest on it alone"
                .to_owned(),
        );
    }
    if measured().any(|boot| !boot.conditions().watched) {
        lines.push("whether the machine stood still meanwhile: nothing watched the workers' CPUs".to_owned());
    }
    let bare = |boot: &Measurement| boot.machine().hypervisor.is_empty();
    if measured().any(|boot| bare(boot) && !boot.conditions().smis) {
        lines.push("whether the firmware took CPUs away (SMIs): the CPUs do not count that".to_owned());
    }
    let share =
        |boot: &Measurement| boot.machine().cpus_online > 1 && boot.machine().topology.source.is_none();
    if measured().any(share) {
        lines.push("whether workers shared a core: the CPUs do not report their cores".to_owned());
    }
    lines
}

/// The first measurement.
#[must_use]
pub fn measured<'r>(runs: impl IntoIterator<Item = &'r RunRecord>) -> Option<&'r Measurement> {
    runs.into_iter().find_map(|run| run.verdict.outcome.measurement())
}
