//! The sentences that the terminal's table and the Markdown summary share. ASCII, one line each.

use std::collections::{BTreeMap, BTreeSet};

use super::number::percent;
use abi::wire::record::{SecondClock, SecondSource};
use evidence::gate::{Basis, Exclusion, FunctionalOnly, MachineReport, Measurement, Sample, Scope};
use evidence::ledger::{Pace, Probes};
use results::disclosure::Publication;
use results::{Group, NotRun, Pairing, Results, RunRecord, Selection, System};

/// The first run that passed of the first system, for the properties that all have in common.
pub(super) fn sample(results: &Results) -> Option<&Measurement> {
    let first = results.cases.first()?.system;
    results.runs.iter().filter(|run| run.system == first).find_map(|run| run.verdict.outcome.measurement())
}

/// Text in which each path is its last part: results.json has the whole paths.
pub(super) fn short(text: &str) -> String {
    text.split(' ').map(short_word).collect::<Vec<_>>().join(" ")
}

/// `key=/path/name` as `key=name`, and `/path/name` as `name`.
fn short_word(word: &str) -> String {
    let (key, value) = word.rsplit_once('=').map_or(("", word), |(key, value)| (&word[..=key.len()], value));
    let name = if value.starts_with('/') { value.rsplit('/').next().unwrap_or(value) } else { value };
    format!("{key}{name}")
}

/// Which experiment, workload and program.
pub(super) fn subject(results: &Results) -> String {
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
pub(super) fn place(results: &Results) -> Vec<String> {
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
pub(super) fn emulated(results: &Results) -> bool {
    let driver = results.environment.accelerator.as_ref().is_some_and(|accelerator| accelerator.emulated);
    driver || sample(results).is_some_and(|measurement| measurement.machine().hypervisor_name() == QEMU_TCG)
}

/// CPUID's hypervisor signature under QEMU's own emulation.
const QEMU_TCG: &str = "TCGTCGTCGTCG";

/// The clock that counts the cycles.
pub(super) fn clock(results: &Results) -> Option<String> {
    let clock = sample(results)?.clock();
    Some(match &clock.tsc {
        Some(tsc) => {
            let second = second_clock(clock.second.as_ref());
            let effective = effective_clock(results).unwrap_or_default();
            format!("TSC {}.{:03} MHz by {}, {second}{effective}", tsc.khz / 1000, tsc.khz % 1000, tsc.source)
        }
        None => "TSC of unknown frequency".to_owned(),
    })
}

/// The clocks at which the CPUs really ran workers, from the lowest to the highest, if they are known.
fn effective_clock(results: &Results) -> Option<String> {
    let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    let workers = measured.flat_map(Measurement::samples).flat_map(|sample| &sample.workers);
    let clocks: Vec<u64> = workers.filter_map(|worker| worker.effective_khz).collect();
    let (lowest, highest) = clocks.iter().min().zip(clocks.iter().max())?;
    let (lowest, highest) = (lowest / 1_000, highest / 1_000);
    let clocks = if lowest == highest { lowest.to_string() } else { format!("{lowest} to {highest}") };
    Some(format!("; workers ran at {clocks} MHz"))
}

/// What the TSC was checked against in every iteration.
fn second_clock(second: Option<&SecondClock>) -> String {
    match second {
        Some(second) if second.independent => format!("checked against {}", second.source),
        Some(second) if second.source != SecondSource::None => {
            format!("checked against {}, which is derived from it", second.source)
        }
        _ => "TSC alone: no second clock".to_owned(),
    }
}

/// How to read the table's numbers, and what they do not show.
pub(super) fn notes(results: &Results) -> Vec<String> {
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

/// What the host's CPUs could do between the rounds, in a line.
pub(super) fn probes(results: &Results) -> Option<String> {
    let Probes { cpus, missing, made, failed } = &results.probes;
    let capacity = made.iter().map(|probe| probe.capacity);
    let (least, most) = (capacity.clone().reduce(f64::min), capacity.reduce(f64::max));
    let (Some(least), Some(most), Some(spread)) = (least, most, results.probes.spread()) else {
        // A log from elsewhere has none, and no reason is given.
        return missing.as_ref().map(|why| format!("no native probe: {why}"));
    };
    let failed = if failed.is_empty() { String::new() } else { format!(", {} more failed", failed.len()) };
    let stopped = missing.as_ref().map(|why| format!("; then none: {why}")).unwrap_or_default();
    Some(format!(
        "native probe, {} times: {cpus} host CPUs had the capacity of {least:.2} to {most:.2}, {} % slower at worst{failed}{stopped}",
        made.len(),
        percent(spread)
    ))
}

/// The pace of the guest's CPUs beside their workers, in a line; `None` if no check was slow.
pub(super) fn pace(results: &Results) -> Option<String> {
    let Pace { checks, slow, worst } = results.pace.filter(|pace| pace.slow > 0)?;
    let worst = percent(worst);
    Some(format!("guest CPU speed: {slow} of {checks} checks slow (worst {worst} % below baseline)"))
}

/// How long runs waited for the host's CPUs, in a line; `None` if less than a second in all.
pub(super) fn waited(results: &Results) -> Option<String> {
    let each: Vec<u64> = results.runs.iter().filter_map(|run| run.made.waited_ms).collect();
    let seconds = each.iter().sum::<u64>() / 1_000;
    (seconds > 0).then(|| {
        format!(
            "host wait: {seconds} s in all before {} runs, until the host's CPUs were at baseline pace",
            each.len()
        )
    })
}

/// Why the steal of the host's own CPUs is unknown, in a line; `None` if it is known.
pub(super) fn steal(results: &Results) -> Option<String> {
    let missing = results.runs.iter().find_map(|run| run.evidence.host_steal_missing.as_ref())?;
    Some(format!("steal time of the host's own CPUs is unknown: {missing}"))
}

/// The excluded rounds and runs, each with its reason, and the excluded iterations.
pub(super) fn excluded(results: &Results) -> Vec<String> {
    let rounds = &results.excluded_rounds;
    let repeats = results.experiment.repeats;
    let mut lines = Vec::new();
    if let Some((lost, repeats)) = results.runs_lost.filter(|&lost| lost > 0).zip(repeats) {
        let again = results.runs.iter().filter(|run| run.attempt > 0).count();
        lines.extend([
            String::new(),
            format!(
                "{lost} runs do not count (at most {} may be lost); {again} were made again, each at most {} times",
                repeats.limit, repeats.times
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
        lines.extend(rounds.iter().map(|(round, why)| format!("  round {}: {why}", round + 1)));
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

/// A run that is excluded by itself, and not with its round.
fn excluded_run(run: &RunRecord) -> Option<String> {
    let Exclusion { reason, detail, scope: Scope::Run { .. } } = run.excluded.as_ref()? else { return None };
    let (system, case) = (run.system, run.case.map(|case| format!(" case {case}")).unwrap_or_default());
    let RunRecord { run, round, attempt, .. } = run;
    Some(format!(
        "  run {run} round {} {system}{case} attempt {}: {reason}: {detail}",
        round + 1,
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
pub(super) fn refused(run: &RunRecord) -> Option<String> {
    let (reason, detail) = run.verdict.outcome.refusal()?;
    if run.excluded.is_some() && reason.is_the_hosts() {
        return None;
    }
    let case = run.case.map(|case| format!(" case {case}")).unwrap_or_default();
    let system = if run.system == System::Assay { String::new() } else { format!(" {}", run.system) };
    let word = run.verdict.outcome.word();
    Some(format!("run {} round {}{system}{case}: {word}: {reason}: {detail}", run.run, run.round + 1))
}

/// The cases that were asked for and did not run, one a line.
pub(super) fn not_run(results: &Results) -> impl Iterator<Item = String> {
    results.not_run.iter().map(|NotRun { case, asked, why }| {
        let whose = if *asked { "" } else { " (the plan is for machines of any size)" };
        format!("case {case}: {why}{whose}")
    })
}

/// Whether the results can be published, in a line; `None` if no disclosure was asked for.
pub(super) fn publication(results: &Results) -> Option<String> {
    let Publication { publishable, reason, missing, .. } = results.publication.as_ref()?;
    Some(match reason {
        _ if *publishable => "publishable: everything is disclosed".to_owned(),
        Some(reason) => format!("not publishable: {reason}: {}", missing.join(", ")),
        None => "not publishable".to_owned(),
    })
}

/// Why a guest died: its run, what a second guest showed, and the file with the details.
pub(super) fn diagnosed(results: &Results) -> Option<[String; 3]> {
    let (run, diagnosis) = results.runs.iter().find_map(|run| Some((run.run, run.diagnosis.as_ref()?)))?;
    Some([
        format!("why the guest of run {run} died, from a second guest that was traced (not evidence):"),
        diagnosis.summary.clone(),
        diagnosis.files.first().cloned().unwrap_or_default(),
    ])
}
