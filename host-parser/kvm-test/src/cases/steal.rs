//! What the host takes from a guest, and who says so.

use std::hint;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use rustix::thread::{CpuSet, sched_setaffinity};
use serde_json::Value;

use super::Done;
use super::session::{Assay, Said, results, two_cpus};

const SMALL: &str = "host-parser/tests/manifests/small.toml";

/// A busy loop on one CPU, until it is dropped.
struct Hog {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hog {
    fn on(cpu: usize) -> Self {
        let over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&over);
        let thread = thread::spawn(move || {
            let mut only = CpuSet::new();
            only.set(cpu);
            sched_setaffinity(None, &only).expect("a CPU that this process may use");
            while !seen.load(Ordering::Relaxed) {
                hint::spin_loop();
            }
        });
        Self { over, thread: Some(thread) }
    }
}

impl Drop for Hog {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn run_small(out: &Path, label: &str, cpus: &str, rounds: &str) -> Result<Said> {
    let command =
        Assay::new(["run", SMALL, "--no-probe", "--no-diagnosis", "--label", label, "--rounds", rounds]);
    command.arg("--cpus").arg(cpus).arg("--out").arg(out).run(Duration::from_secs(200))
}

fn runs(results: &Value) -> Result<&Vec<Value>> {
    results["runs"].as_array().filter(|runs| !runs.is_empty()).context("no runs in results.json")
}

/// A loop beside a vCPU takes half of its time: no run of that vCPU may count, each for what was done to it, and steal
/// must be in the guest's own account.
pub fn is_excluded() -> Result<Done> {
    let [cpu, other] = two_cpus()?;
    let out = tempfile::tempdir()?;
    let hog = Hog::on(cpu);
    let said = run_small(out.path(), "busy", &format!("{cpu},{other}"), "1")?;
    drop(hog);
    ensure!(!said.out.contains("HOLDS"), "a claim beside a busy loop\n{}", said.out);
    let results = results(out.path(), "small", "busy")?;
    let mut seen = Vec::new();
    for run in runs(&results)? {
        let reason = run["reason"].as_str().unwrap_or_default();
        ensure!(
            ["steal", "vcpu-preempted"].contains(&reason),
            "run {}: {reason:?}, {}",
            run["run"],
            run["detail"]
        );
        ensure!(run["set_aside"].is_string(), "run {} counts, in spite of {reason}", run["run"]);
        seen.push(format!("{reason}, {} us stolen", stolen_us(run)?));
    }
    let most = runs(&results)?.iter().map(stolen_us).collect::<Result<Vec<u64>>>()?.into_iter().max();
    ensure!(most > Some(1_000), "the guests' own account has no steal: {seen:?}");
    Ok(Done::Passed(seen.join("; ")))
}

/// The most that one worker's CPU lost in a run, by the guest's account in its log.
fn stolen_us(run: &Value) -> Result<u64> {
    let log = run["log"].as_str().context("no log")?;
    let text = std::fs::read_to_string(log).with_context(|| log.to_owned())?;
    let words = text.split_ascii_whitespace().filter_map(|word| word.strip_prefix("steal_ns="));
    Ok(words.filter_map(|ns| ns.parse::<u64>().ok()).max().unwrap_or(0) / 1_000)
}

/// Each vCPU's thread is on its own CPU, and the scheduler's account of it is in the evidence.
pub fn pinning_and_run_delay() -> Result<Done> {
    let [a, b] = two_cpus()?;
    let out = tempfile::tempdir()?;
    run_small(out.path(), "pinned", &format!("{a},{b}"), "1")?;
    let results = results(out.path(), "small", "pinned")?;
    let of_two = runs(&results)?.iter().find(|run| run["case"] == 2).context("no run of case 2")?;
    let pinned = [a.to_string(), b.to_string()];
    ensure!(of_two["vcpu_host_cpus"] == serde_json::json!(pinned), "pinned to {}", of_two["vcpu_host_cpus"]);
    let delays = of_two["evidence"]["delays"].as_array().context("no run delays")?;
    let mut seen = Vec::new();
    for vcpu in 0..2 {
        let delay = delays.iter().find(|delay| delay["vcpu"] == vcpu).context("no run delay of a vCPU")?;
        let ns = |name: &str| delay[name].as_u64().with_context(|| format!("no {name} in {delay}"));
        let (wall, run, waited) = (ns("wall_ns")?, ns("run_ns")?, ns("delay_ns")?);
        // A vCPU without work halts, and then neither runs nor waits. The counters are read a little before and after
        // the clock, and later on a busy host.
        ensure!(run > 0 && run + waited < wall * 4, "vCPU {vcpu}: {delay}");
        seen.push(format!("vCPU {vcpu} waited {} of {} us", waited / 1_000, wall / 1_000));
    }
    Ok(Done::Passed(seen.join(", ")))
}
