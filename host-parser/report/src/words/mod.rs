//! The sentences that the terminal's table and the Markdown summary share. ASCII, one line each.

mod clock;
mod excluded;
mod host;
mod notes;

use evidence::gate::Measurement;
use results::disclosure::Publication;
use results::{NotRun, Results};

pub(crate) use clock::clock;
pub(crate) use excluded::{excluded, refused};
pub(crate) use host::{pace, probes, steal, waited};
pub(crate) use notes::notes;

/// The first run that passed of the first system, for the properties that all have in common.
pub(crate) fn sample(results: &Results) -> Option<&Measurement> {
    let first = results.cases.first()?.system;
    results.runs.iter().filter(|run| run.system == first).find_map(|run| run.verdict.outcome.measurement())
}

/// Text in which each path is its last part: results.json has the whole paths.
pub(crate) fn short(text: &str) -> String {
    text.split(' ').map(short_word).collect::<Vec<_>>().join(" ")
}

/// `key=/path/name` as `key=name`, and `/path/name` as `name`.
fn short_word(word: &str) -> String {
    let (key, value) = word.rsplit_once('=').map_or(("", word), |(key, value)| (&word[..=key.len()], value));
    let name = if value.starts_with('/') { value.rsplit('/').next().unwrap_or(value) } else { value };
    format!("{key}{name}")
}

/// Which experiment, workload and program.
pub(crate) fn subject(results: &Results) -> String {
    let mut text = results.experiment.name.clone();
    if let Some(label) = &results.experiment.label {
        text += &format!(" [{label}]");
    }
    if let Some(measurement) = sample(results) {
        let identity = measurement.identity();
        let whole = identity.whole.map(|param| param.to_string());
        let used = whole.iter().rposition(|param| param != "0").map_or(0, |last| last + 1);
        text += &format!(": {} {}", identity.workload, whole[..used].join(" "));
        text += &format!(", program {:.12}...", identity.blob_sha256.to_string());
    }
    text
}

/// How the runs were made, in which guest, on which host.
pub(crate) fn place(results: &Results) -> Vec<String> {
    let environment = &results.environment;
    let mut how = Vec::new();
    if let Some(accelerator) = &environment.accelerator {
        how.push(accelerator.name.clone());
    }
    how.extend(environment.vmm_version().map(str::to_owned));
    how.extend(environment.machine.clone());
    if !environment.qemu_args.is_empty() {
        how.push(format!("with {}", environment.qemu_args.join(" ")));
    }
    let mut lines = Vec::new();
    if let Some(machine) = sample(results).map(Measurement::machine) {
        how.push(format!("boot: {}", machine.firmware));
        let hypervisor = machine.hypervisor_name();
        lines.push(format!("guest CPU {}, hypervisor {hypervisor}", machine.brand));
    }
    if let Some(host) = &environment.host {
        let pinned = environment.pinning.as_ref().map(|pinning| format!("pinned to {}", pinning.host_cpus));
        let pinned = pinned.unwrap_or_else(|| "not pinned".to_owned());
        lines.push(format!("host CPU {}, {} online, guest {pinned}", host.cpu, host.cpus_online));
    }
    if !how.is_empty() {
        lines.insert(0, how.join(", "));
    }
    lines
}

/// Whether the CPUs were emulated, as the environment or the guest itself reports it.
pub(crate) fn emulated(results: &Results) -> bool {
    let driver = results.environment.accelerator.as_ref().is_some_and(|accelerator| accelerator.emulated);
    driver || sample(results).is_some_and(|measurement| measurement.machine().hypervisor_name() == QEMU_TCG)
}

/// CPUID's hypervisor signature under QEMU's own emulation.
const QEMU_TCG: &str = "TCGTCGTCGTCG";

/// The cases that were asked for and did not run, one a line.
pub(crate) fn not_run(results: &Results) -> impl Iterator<Item = String> {
    results.not_run.iter().map(|NotRun { case, asked, why }| {
        let whose = if *asked { "" } else { " (the plan is for machines of any size)" };
        format!("case {case}: {why}{whose}")
    })
}

/// Whether the results can be published, in a line; `None` if no disclosure was asked for.
pub(crate) fn publication(results: &Results) -> Option<String> {
    let Publication { publishable, reason, missing, .. } = results.publication.as_ref()?;
    Some(match reason {
        _ if *publishable => "publishable: everything is disclosed".to_owned(),
        Some(reason) => format!("not publishable: {reason}: {}", missing.join(", ")),
        None => "not publishable".to_owned(),
    })
}

/// Why a guest died: its run, what a second guest showed, and the file with the details.
pub(crate) fn diagnosed(results: &Results) -> Option<[String; 3]> {
    let (run, diagnosis) = results.runs.iter().find_map(|run| Some((run.run, run.diagnosis.as_ref()?)))?;
    Some([
        format!("why the guest of run {run} died, from a second guest that was traced (not evidence):"),
        diagnosis.summary.clone(),
        diagnosis.files.first().cloned().unwrap_or_default(),
    ])
}
