//! The conditions that a reader needs to place a result: host, programs, order, and what it does not prove.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use abi::wire::record::Tuning;
use evidence::gate::granted;

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
    if let Some(vmm) = &environment.vmm {
        lines.push(format!("under {} {}", vmm.name, vmm.lacks));
    }
    if let Some(model) = &environment.cpu_model {
        let memory = environment.memory_mib.map(|mib| format!(", {mib} MiB of memory")).unwrap_or_default();
        lines.push(format!("guest CPU model {model}{memory}"));
    }
    lines.extend(boots(results));
    lines.extend(grants(results));
    if let Some(pinning) = &environment.pinning {
        let unknown = if pinning.cores.is_none() {
            ", the host does not report which of them share a core"
        } else {
            ""
        };
        lines.push(format!("pinned to host CPUs {} by {}{unknown}", pinning.host_cpus, pinning.asked_by));
    }
    for artifact in &environment.artifacts {
        lines.push(format!("{}: {} bytes, SHA-256 `{}`", artifact.name, artifact.bytes, artifact.sha256));
    }
    let experiment = &results.experiment;
    if let (Some(manifest), Some(sha256)) = (&experiment.manifest, &experiment.manifest_sha256) {
        lines.push(format!("manifest {}, SHA-256 `{sha256}`", short(manifest)));
    }
    lines.extend(words::not_run(results).map(|line| format!("not run: {line}")));
    lines.extend(results.not_known.iter().map(|open| format!("not known: {open}")));
    lines.extend(order(results));
    lines
}

/// When the first and the last run started.
fn date(results: &Results) -> Option<String> {
    let started: Vec<u64> = results.runs.iter().filter_map(|run| run.made.started_unix_ms).collect();
    let (first, last) = (utc(*started.iter().min()?), utc(*started.iter().max()?));
    Some(format!("first run started {first}, last run {last}"))
}

fn utc(unix_ms: u64) -> String {
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}

/// Each system's release, and how it was started.
fn boots(results: &Results) -> Vec<String> {
    let mut systems: BTreeMap<System, BTreeSet<String>> = BTreeMap::new();
    for run in &results.runs {
        let Some(machine) = run.verdict.outcome.measurement().map(|measured| measured.machine()) else {
            continue;
        };
        let set_up = match run.system {
            System::Linux => ", its default mitigations".to_owned(),
            System::LinuxMitigationsOff => ", mitigations=off".to_owned(),
            System::LinuxTuned => format!(", its default mitigations, {}", tuning(machine.tuning)),
            System::Assay | System::AssayBios | System::Native => String::new(),
        };
        let boot = format!("{} {}, boot: {}{set_up}", machine.system, machine.release, machine.firmware);
        systems.entry(run.system).or_default().insert(boot);
    }
    let mut lines = Vec::new();
    for (system, boots) in systems {
        lines.push(format!("row {system}: {}", boots.into_iter().collect::<Vec<_>>().join("; ")));
    }
    lines
}

/// What each worker was granted, as every system printed it; nothing if that is a stack of the usual size.
fn grants(results: &Results) -> BTreeSet<String> {
    let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    let grants = measured.filter_map(|measured| measured.identity().grant);
    grants.map(|grant| format!("each worker was granted {}", granted(&grant))).collect()
}

/// What was in force in a tuned guest, by its own account.
fn tuning(tuning: Option<Tuning>) -> String {
    let Some(Tuning { isolated, nohz_full, idle, workers }) = tuning else {
        return "nothing known of its tuning".to_owned();
    };
    let cpus = |list: String| if list.is_empty() { "no CPU".to_owned() } else { format!("CPU {list}") };
    let [isolated, nohz_full] = [isolated, nohz_full].map(|list| cpus(list.to_string()));
    format!("{isolated} isolated, {nohz_full} without a tick, idle driver {idle}, workers {workers}")
}

/// The order of the runs.
fn order(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(seed) = results.experiment.order_seed {
        lines.push(format!("order shuffled within each round, seed {seed}"));
    }
    if results.comparison.is_some() {
        let first = results.runs.iter().filter(|run| run.round == 0);
        let order: Vec<String> = first.filter_map(system_and_case).collect();
        lines.push(format!(
            "the first round ran {}; results.json has every run in its order",
            order.join(", ")
        ));
        return lines;
    }
    let order: Vec<String> = results.runs.iter().filter_map(|run| Some(run.case?.to_string())).collect();
    if !order.is_empty() {
        lines.push(format!("order of the cases: {}", order.join(" ")));
    }
    lines
}

fn system_and_case(run: &RunRecord) -> Option<String> {
    Some(format!("{} {}", run.system, run.case?))
}

/// What the results do not prove.
pub(super) fn bounds(results: &Results) -> Vec<String> {
    let mut lines = vec![
        "One host, one session: another CPU, host kernel, QEMU or neighbour can give other numbers.".to_owned(),
        "The workers are independent and make no syscall: the result says nothing about syscalls, scheduling \
         under load, memory management or I/O of any system."
            .to_owned(),
    ];
    if words::emulated(results) {
        lines.push(
            "The CPUs were emulated: ratios show whether a system lets its CPUs work in parallel; times, boot \
             times included, say nothing about any hardware."
                .to_owned(),
        );
    }
    if results.cases.iter().any(|row| row.stats.functional_only.is_some()) {
        lines.push(
            "Cases marked * ran with more CPUs than the host has: they show that the system works, not how fast."
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
            "Native rows are processes on the host's own CPUs: the ceiling for a guest's speed-up there. Under \
             emulation their times are no measure for a guest's."
                .to_owned(),
        );
    }
    lines.push(
        "Disturbances that left no trace in the evidence are still in the numbers, as part of their spread."
            .to_owned(),
    );
    lines
}
