//! Whole sessions of the tool: the controls, and the shared experiment beside Linux.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Done;
use super::session::{Assay, results, two_cpus};

const CONTROLS: &str = "manifests/controls";
/// Attempts at a control that a busy host can hide.
const TRIES: usize = 3;

/// Every control whose name begins with `begin`: the gate must name each, and find what it leaves alone right.
pub fn controls(begin: &str) -> Result<Done> {
    let (folder, out) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let mut names = Vec::new();
    for entry in fs::read_dir(CONTROLS)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(begin) {
            fs::copy(&path, folder.path().join(&name))?;
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

/// Runs the controls of a folder, and takes those that ended as expected out of `names` and the folder. Returns the
/// table.
///
/// # Errors
/// One that is not the host's doing ended otherwise.
fn try_controls(folder: &Path, out: &Path, names: &mut Vec<String>) -> Result<String> {
    let [a, b] = two_cpus()?;
    let command =
        Assay::new(["dev", "controls", "--cpus", &format!("{a},{b}"), "--out"]).arg(out).arg(folder);
    let said = command.run(Duration::from_secs(380))?;
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
            is_the_hosts(got) || got == "control-unnoticed",
            "{control}: {got}, not {expected}\n{}",
            said.out
        );
        left.push(name);
    }
    *names = left;
    Ok(said.out)
}

/// Reasons that a busy host gives to any run, good or bad.
fn is_the_hosts(code: &str) -> bool {
    ["vcpu-preempted", "steal", "late-start"].contains(&code)
}

/// The shared experiment on our kernel and on Linux, pinned. Each run passes, or is excluded for what the host did; at
/// least one of each system and case up to two CPUs passes.
pub fn shared() -> Result<Done> {
    let [a, b] = two_cpus()?;
    let out = tempfile::tempdir()?;
    let command = Assay::new(["run", "manifests/smp-process-scale-shared.toml", "--systems", "assay,linux"])
        .arg("--no-probe")
        .arg("--no-diagnosis")
        .arg("--label=t")
        .arg("--rounds=1")
        .arg(format!("--cpus={a},{b}"))
        .arg("--out")
        .arg(out.path());
    let said = command.run(Duration::from_secs(450))?;
    print!("{}{}", said.out, said.err);
    ensure!([0, 1, 3, 5, 10].map(Some).contains(&said.code), "exit code {:?}", said.code);
    let results = results(out.path(), "smp-process-scale-shared", "t")?;
    let runs = results["runs"].as_array().context("no runs in results.json")?;
    let mut seen = Vec::new();
    for (system, case) in [("assay", 1), ("assay", 2), ("linux", 1), ("linux", 2)] {
        let of: Vec<&Value> =
            runs.iter().filter(|run| run["system"] == system && run["case"] == case).collect();
        for run in &of {
            let reason = run["reason"].as_str().unwrap_or("passed");
            let excused = reason == "passed" || is_the_hosts(reason);
            ensure!(excused, "{system}, {case} CPUs: {reason}: {}", run["detail"]);
        }
        let passed = of.iter().filter(|run| run["outcome"] == "passed").count();
        ensure!(
            passed > 0 || of.iter().all(|run| run["set_aside"].is_string()),
            "{system}, {case} CPUs: no run"
        );
        seen.push(format!("{system} {case}: {passed} of {}", of.len()));
    }
    Ok(Done::Passed(seen.join(", ")))
}
