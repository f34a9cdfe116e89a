//! The notes below a table: how to read its numbers, and what they do not show.

use std::collections::{BTreeMap, BTreeSet};

use evidence::gate::{Basis, FunctionalOnly, MachineReport, Measurement};
use results::{Pairing, Results, System};

use super::{emulated, sample};

/// How to read the table's numbers, and what they do not show.
pub(crate) fn notes(results: &Results) -> Vec<String> {
    let mut notes = figures(results);
    let longest = results.cases.iter().filter(|row| row.stats.basis == Basis::LongestWorker);
    let mut longest_by_system: BTreeMap<System, Vec<String>> = BTreeMap::new();
    for row in longest {
        longest_by_system.entry(row.system).or_default().push(row.stats.case.to_string());
    }
    for (system, cases) in longest_by_system {
        let of = if results.comparison.is_some() { format!("{system}, ") } else { String::new() };
        notes.push(format!(
            "{of}{} workers: time of the longest worker, because the clocks were not shown to be in step",
            cases.join(", ")
        ));
    }
    let functional =
        results.cases.iter().filter_map(|row| Some((row.stats.case, row.stats.functional_only?)));
    for (case, FunctionalOnly { vcpus, host_cpus }) in functional.collect::<BTreeMap<_, _>>() {
        notes.push(format!(
            "* {case} workers: FUNCTIONAL ONLY, {vcpus} vCPUs on {host_cpus} host CPUs: shows that it works, not how fast"
        ));
    }
    let smt: BTreeSet<&str> =
        results.cases.iter().filter(|row| row.stats.smt).map(|row| row.stats.label.as_str()).collect();
    for label in smt {
        notes.push(format!("{label}: workers share cores: shows the gain from SMT, not scaling over cores"));
    }
    if let Some(machine) = sample(results).filter(|run| run.sweep().is_some()).map(Measurement::machine) {
        notes.push(shape(machine));
    }
    if emulated(results) {
        notes.push(
            "EMULATED CPUS: ratios show how this system scales; times say nothing about any hardware"
                .to_owned(),
        );
    }
    notes
}

/// What the two figures are, and what is not in either.
fn figures(results: &Results) -> Vec<String> {
    let within_boot = results.experiment.pairing == Pairing::Iterations;
    let mut notes = vec![
        "undisturbed: without what evidence excludes; used: share of all iterations".to_owned(),
        "experienced: all runs and iterations made; by mean: ratio of the mean times".to_owned(),
    ];
    let several = results.comparison.is_some();
    for of in results.experienced.iter().filter(|of| of.runs_without_time > 0) {
        let system = if several { format!("{}, ", of.system) } else { String::new() };
        let (runs, case) = (of.runs_without_time, of.case);
        notes.push(format!("{system}{case} workers: {runs} more runs were made and have no time"));
    }
    if within_boot {
        notes.push(
            "ONE BOOT: a round is an iteration; every figure and interval is within this boot, and says nothing of others"
                .to_owned(),
        );
    }
    notes
}

/// The topology that the guest reported, in a line.
fn shape(machine: &MachineReport) -> String {
    let (topology, cpus) = (&machine.topology, machine.cpus_online);
    let (Some(source), Some(cores)) = (&topology.source, topology.cores) else {
        return format!("topology UNKNOWN: no source reports which of the {cpus} CPUs share a core");
    };
    let kinds: BTreeSet<&str> = topology.cpus.iter().map(|cpu| cpu.kind.word()).collect();
    let hybrid = if kinds.len() > 1 { "; CORES OF SEVERAL KINDS, the faster ones used first" } else { "" };
    let mut parts = vec![counted(cpus, "CPU"), counted(cores, "core")];
    parts.extend(topology.packages.map(|count| counted(count, "package")));
    parts.extend(topology.nodes.map(|count| counted(count, "NUMA node")));
    format!("{}, by {source}{hybrid}", parts.join(", "))
}

/// `1 core`, `2 cores`.
fn counted(count: u16, of: &str) -> String {
    format!("{count} {of}{}", if count == 1 { "" } else { "s" })
}
