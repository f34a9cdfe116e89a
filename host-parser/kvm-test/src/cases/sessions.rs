//! Whole sessions of the tool: the controls, and the shared experiment beside Linux.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Done;
use super::session::{Assay, is_nested, results, two_cpus};

const CONTROLS: &str = "manifests/controls";
/// A guest in L1 takes 2 s, and up to 30 s beside the builds of others. The control that hangs takes all of it.
const PATIENCE_SECONDS: u32 = 40;
/// Attempts at a control that a busy host can hide.
const TRIES: usize = 8;

/// Every control whose name begins with `begin`: the gate must name each, and find what it leaves alone right.
pub fn controls(begin: &str) -> Result<Done> {
    let (folder, out) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut names = Vec::new();
    for entry in fs::read_dir(CONTROLS)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(begin) {
            fs::write(folder.path().join(&name), patient(&fs::read_to_string(&path)?))?;
            names.push(name);
        }
    }
    let all = names.len();
    ensure!(all > 0, "no controls {begin}* in {CONTROLS}");
    let mut said = try_controls(folder.path(), out.path(), &mut names)?;
    for _ in 1..TRIES {
        if names.is_empty() {
            break;
        }
        // What is left was hidden by something that the host did, or is wrong: the next try shows which.
        said = try_controls(folder.path(), out.path(), &mut names)?;
    }
    ensure!(names.is_empty(), "{names:?} ended otherwise\n{said}");
    Ok(Done::Passed(format!("{all} of {all} controls ended as expected")))
}

/// A manifest with deadlines that a guest keeps even if its CPUs are emulated, and on a busy machine.
fn patient(manifest: &str) -> String {
    let seconds = |line: &str, key: &str| line.strip_prefix(key)?.strip_prefix(" = ")?.parse::<u32>().ok();
    let worker = manifest.lines().find_map(|line| seconds(line, "worker-seconds")).unwrap_or(0);
    let later = |line: &str| match line.split_once(" = ") {
        Some((key @ "boot-seconds", _)) => format!("{key} = {PATIENCE_SECONDS}"),
        // At least both of the others together.
        Some((key @ "run-seconds", _)) => format!("{key} = {}", PATIENCE_SECONDS + worker),
        _ => line.to_owned(),
    };
    manifest.lines().map(later).collect::<Vec<_>>().join("\n")
}

/// Runs the controls of a folder, and takes those that ended as expected out of `names` and the folder. Returns the
/// table.
///
/// # Errors
/// One that is not the host's doing ended otherwise.
fn try_controls(folder: &Path, out: &Path, names: &mut Vec<String>) -> Result<String> {
    let [a, b] = two_cpus()?;
    let command =
        Assay::new(["dev", "controls", "--cpus", &format!("{a},{b}"), "--out"]).arg(out).arg(folder);
    let said = command.run(Duration::from_secs(600))?;
    print!("{}", said.out);
    let mut left = Vec::new();
    for name in names.drain(..) {
        let control = name.trim_end_matches(".toml");
        let line = said.out.lines().find(|line| line.split(' ').next() == Some(control));
        let mut words = line
            .with_context(|| format!("no line for {control}\n{}{}", said.out, said.err))?
            .split_whitespace();
        let [Some(expected), Some(got), Some(others)] = [words.nth(1), words.next(), words.next()] else {
            bail!("{control}: a line without its words\n{}", said.out)
        };
        ensure!(others != "HARMED", "{control} harmed others\n{}", said.out);
        if expected == got {
            fs::remove_file(folder.join(&name))?;
            continue;
        }
        ensure!(
            is_disturbance(got) || got == "control-unnoticed",
            "{control}: {got}, not {expected}\n{}",
            said.out
        );
        left.push(name);
    }
    *names = left;
    Ok(said.out)
}

/// The systems of the shared experiment.
const SYSTEMS: [&str; 2] = ["assay", "linux"];
/// Sessions of it, if the host disturbs all runs of a system.
const SESSIONS: usize = 2;

/// The shared experiment on our kernel and on Linux, pinned. Each run passes or was disturbed by the host, and one of
/// each system passes.
pub fn shared() -> Result<Done> {
    let mut passed = [0; SYSTEMS.len()];
    let mut disturbed = Vec::new();
    for session in 0..SESSIONS {
        let out = tempfile::tempdir()?;
        for run in shared_session(out.path(), session)? {
            let system = run["system"].as_str().unwrap_or_default();
            match run["reason"].as_str() {
                None => {
                    if let Some(at) = SYSTEMS.iter().position(|known| *known == system) {
                        passed[at] += 1;
                    }
                }
                Some(reason) if is_disturbance(reason) => disturbed.push(format!("{system} {reason}")),
                Some(reason) => bail!("{system}, {} CPUs: {reason}: {}", run["case"], run["detail"]),
            }
        }
        if passed.iter().all(|&runs| runs > 0) {
            let counts = SYSTEMS.iter().zip(passed).map(|(system, runs)| format!("{system} {runs}"));
            let counts = counts.collect::<Vec<_>>().join(", ");
            return Ok(Done::Passed(format!("passed: {counts}; disturbed by the host: {}", disturbed.len())));
        }
    }
    bail!("the host disturbed every run of a system in {SESSIONS} sessions: {}", disturbed.join(", "))
}

/// The runs of one session.
fn shared_session(out: &Path, number: usize) -> Result<Vec<Value>> {
    let [a, b] = two_cpus()?;
    let label = number.to_string();
    let command = Assay::new(["run", "manifests/smp-process-scale-shared.toml", "--systems", "assay,linux"])
        .arg("--no-probe")
        .arg("--no-diagnosis")
        .arg("--rounds=1")
        .arg(format!("--label={label}"))
        .arg(format!("--cpus={a},{b}"))
        .arg("--out")
        .arg(out);
    let said = command.run(Duration::from_secs(340))?;
    print!("{}{}", said.out, said.err);
    let results = results(out, "smp-process-scale-shared", &label)?;
    results["runs"].as_array().cloned().context("no runs in results.json")
}

/// Whether this reason is one that a busy host gives to any run, good or bad. What happens to L1's own CPUs has no witness
/// in L1: time that its clocks do not agree on counts there too.
fn is_disturbance(reason: &str) -> bool {
    ["vcpu-preempted", "steal", "late-start"].contains(&reason) || (is_nested() && reason == "time-missing")
}
