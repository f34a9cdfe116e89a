//! What a result must disclose to be worth anything to others: host, programs, order, and its own bounds.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use super::words::{self, short};
use results::{Results, RunRecord, System};

/// The conditions, one a line.
pub(super) fn conditions(results: &Results) -> Vec<String> {
    let environment = &results.environment;
    let mut lines: Vec<String> = date(results).into_iter().collect();
    lines.extend(words::place(results));
    lines.extend(words::clock(results));
    lines.extend(words::probes(results));
    lines.extend(words::pace(results));
    lines.extend(words::waited(results));
    lines.extend(words::steal(results));
    if let Some(host) = &environment.host {
        let load = host.load.map(|load| format!(", load {load:.2} before the first run")).unwrap_or_default();
        lines.push(format!("host system {}{load}", host.system));
    }
    if let Some(accelerator) = &environment.accelerator {
        lines.push(format!("accelerator {}: {}", accelerator.name, accelerator.why));
    }
    if let Some(model) = &environment.cpu_model {
        let memory = environment.memory_mib.map(|mib| format!(", {mib} MiB of memory")).unwrap_or_default();
        lines.push(format!("guest CPU model {model}{memory}"));
    }
    lines.extend(boots(results));
    if let Some(pinning) = &environment.pinning {
        let unknown = if pinning.cores.is_none() { ", which of them share a core not told" } else { "" };
        lines.push(format!("pinned to host CPUs {} by {}{unknown}", pinning.host_cpus, pinning.asked_by));
    }
    for artifact in &environment.artifacts {
        lines.push(format!("{}: {} bytes, SHA-256 `{}`", artifact.name, artifact.bytes, artifact.sha256));
    }
    let experiment = &results.experiment;
    if let (Some(manifest), Some(sha256)) = (&experiment.manifest, &experiment.manifest_sha256) {
        lines.push(format!("manifest {}, SHA-256 `{sha256}`", short(manifest)));
    }
    lines.extend(order(results));
    lines
}

/// When the first run was started and the last one.
fn date(results: &Results) -> Option<String> {
    let started = || results.runs.iter().filter_map(|run| run.started_unix_ms);
    let told = |ms| humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(ms)).to_string();
    let (first, last) = (started().min()?, started().max()?);
    Some(format!("first run started {}, last run {}", told(first), told(last)))
}

/// Each system's release, and how it was started.
fn boots(results: &Results) -> Vec<String> {
    let mut systems: BTreeMap<System, BTreeSet<String>> = BTreeMap::new();
    for run in &results.runs {
        let Some(machine) = run.verdict.outcome.measurement().map(|measured| measured.machine()) else {
            continue;
        };
        let mitigations = match run.system {
            System::Linux => ", its default mitigations",
            System::LinuxMitigationsOff => ", mitigations=off",
            _ => "",
        };
        let told = format!("{} {}, boot: {}{mitigations}", machine.system, machine.release, machine.firmware);
        systems.entry(run.system).or_default().insert(told);
    }
    let line = |(system, told): (System, BTreeSet<String>)| {
        format!("row {system}: {}", told.into_iter().collect::<Vec<_>>().join("; "))
    };
    systems.into_iter().map(line).collect()
}

/// In which order the runs were made.
fn order(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(seed) = results.experiment.order_seed {
        lines.push(format!("order shuffled within each round, seed {seed}"));
    }
    let run = |run: &&RunRecord| run.case.map(|case| (run.system, case));
    if results.comparison.is_some() {
        let first = results.runs.iter().filter(|run| run.round == 0);
        let order: Vec<String> =
            first.filter_map(|r| run(&r)).map(|(system, case)| format!("{system} {case}")).collect();
        lines.push(format!(
            "the first round ran {}; results.json has every run in its order",
            order.join(", ")
        ));
    } else {
        let order: Vec<String> =
            results.runs.iter().filter_map(|r| run(&r)).map(|(_, case)| case.to_string()).collect();
        if !order.is_empty() {
            lines.push(format!("cases in the order they were run: {}", order.join(" ")));
        }
    }
    lines
}

/// What the results do not prove, as far as they show it themselves.
pub(super) fn bounds(results: &Results) -> Vec<String> {
    let mut lines = vec![
        "One host, one session: another CPU, host kernel, QEMU or neighbour can give other numbers.".to_owned(),
        "The workers are independent and make no syscall: nothing is said of syscalls, scheduling under load, \
         memory management or I/O of any system."
            .to_owned(),
    ];
    if words::emulated(results) {
        lines.push(
            "The CPUs were emulated: ratios say whether a system lets its CPUs work side by side; times, boot \
             times among them, are of no hardware."
                .to_owned(),
        );
    }
    if results.cases.iter().any(|row| row.stats.functional_only.is_some()) {
        lines.push(
            "Cases marked * ran with more CPUs than the host has: they show function, and no speed."
                .to_owned(),
        );
    }
    if results.cases.iter().any(|row| row.system == System::Linux) {
        lines.push(
            "Linux is the kernel named above with its default configuration and one small program as its only \
             process; a Linux tuned for the purpose (isolated CPUs, no timer tick) was not measured."
                .to_owned(),
        );
    }
    if results.cases.iter().any(|row| row.system == System::Native) {
        lines.push(
            "Native rows are processes on the host's own CPUs: the ceiling for how a speed-up can look there, and \
             under emulation no measure for a guest's time."
                .to_owned(),
        );
    }
    lines.push(
        "What the host did without a trace in the evidence is in the numbers, as their spread.".to_owned(),
    );
    lines
}
