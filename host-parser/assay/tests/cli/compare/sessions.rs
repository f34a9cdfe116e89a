//! Sessions as `assay run` leaves them, of guests that are played.

use std::fs;
use std::path::{Path, PathBuf};

use abi::wire::Record;
use abi::wire::record::Firmware;
use host_parser::gate::{Gate, HostEvidence, RunExpectation, VcpuDelay};
use host_parser::results::{Accelerator, Completion, Environment, Experiment, Host, Results, RunRecord};
use host_parser::stats::Pairing;
use host_parser::transcript::Transcript;
use serde_json::Value;
use tempfile::TempDir;

use crate::guest::{Guest, KHZ};
use crate::script::Script;

/// When the first run was started.
const START_MS: u64 = 1_795_000_000_000;

/// How a session went.
#[derive(Clone)]
pub struct Played {
    pub rounds: u32,
    pub cases: Vec<u16>,
    /// The time of the whole work on one CPU, in cycles, in each round.
    pub cycles: fn(u32) -> u64,
    /// How often each boot runs its case.
    pub iterations: u16,
    /// How many of the usual readings the looks had, in per mille, in each round.
    pub pace: fn(u32) -> u64,
    /// A round in which a vCPU was kept waiting.
    pub disturbed: Option<u32>,
    /// What each log is changed by.
    pub edit: fn(&mut Record),
    /// Hosts' CPUs.
    pub host_cpus: u16,
    /// How many milliseconds after those of other sessions its runs were started.
    pub later_ms: u64,
    pub environment: fn(&mut Environment),
    pub completion: Completion,
}

impl Default for Played {
    fn default() -> Self {
        Self {
            rounds: 15,
            cases: vec![1, 2],
            cycles: steady,
            iterations: 1,
            pace: |_| 1_000,
            disturbed: None,
            edit: |_| {},
            host_cpus: 2,
            later_ms: 0,
            environment: |_| {},
            completion: Completion::Complete,
        }
    }
}

/// Up to 0.7 % around 1.7e9, in no order.
pub fn steady(round: u32) -> u64 {
    1_700_000_000 + u64::from(round * 7 % 15) * 1_600_000
}

/// Another order, and 5 % more.
pub fn slower(round: u32) -> u64 {
    steady(round * 4 + 3) * 105 / 100
}

/// Anything from 1.0e9 to 2.4e9.
pub fn noisy(round: u32) -> u64 {
    1_000_000_000 + u64::from(round * 11 % 15) * 100_000_000
}

/// A folder in which sessions are played.
pub struct Sessions(TempDir);

impl Sessions {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The folder of a session.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Plays a session.
    pub fn play(&self, name: &str, played: &Played) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(folder.join("runs")).unwrap();
        let mut gate = Gate::default();
        let slots = (0..played.rounds).flat_map(|round| played.cases.iter().map(move |&case| (round, case)));
        let runs = (0..).zip(slots).map(|(number, slot)| run(&mut gate, &folder, played, number, slot));
        let runs: Vec<RunRecord> = runs.collect();
        let mut environment = environment();
        (played.environment)(&mut environment);
        // What is worked out from the runs takes its time, and is not read.
        let results =
            Results::new(experiment(name, played), environment, Vec::new(), played.completion.clone());
        let mut results = serde_json::to_value(results).unwrap();
        results["runs"] = serde_json::to_value(runs).unwrap();
        fs::write(folder.join("results.json"), results.to_string()).unwrap();
        folder
    }
}

/// One run, whose log it leaves in the folder.
fn run(gate: &mut Gate, folder: &Path, played: &Played, number: u32, (round, case): (u32, u16)) -> RunRecord {
    let work_cycles = (played.cycles)(round);
    let nonce = work_cycles << 16 | u64::from(number) << 4 | u64::from(case);
    let guest = Guest { nonce, work_cycles, iterations: played.iterations, ..Guest::of(case) };
    let pace = |readings: u32| u32::try_from(u64::from(readings) * (played.pace)(round) / 1_000).unwrap();
    let paced = Script::of(&guest.log()).edit(|record| {
        if let Record::Gap(gap) = record {
            (gap.reads_before, gap.reads_after) = (pace(gap.reads_before), pace(gap.reads_after));
        }
    });
    let log = paced.edit(played.edit).log();
    let name = format!("run-{number:03}-round-{}-case-{case}.serial.log", round + 1);
    fs::write(folder.join("runs").join(&name), &log).unwrap();
    let wall_ns = wall_ns(case, work_cycles);
    let vcpus = |iteration| (0..u32::from(case)).map(move |vcpu| (iteration, vcpu));
    let delays = (0..played.iterations).flat_map(vcpus).map(|(iteration, vcpu)| VcpuDelay {
        iteration,
        ..delay(case, vcpu, wall_ns, played.disturbed == Some(round))
    });
    let evidence = HostEvidence {
        vcpus: Some(case),
        host_cpus: Some(played.host_cpus),
        watched: true,
        delays: delays.collect(),
        ..HostEvidence::default()
    };
    let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
    let mut record = RunRecord::new(number, round, verdict).with_evidence(evidence);
    record.case = Some(case);
    record.log = Some(format!("where/it/was/{name}"));
    record.started_unix_ms = Some(START_MS + played.later_ms + u64::from(number) * 1_000);
    record.wall_ms = Some(400);
    record
}

/// How long the host watches a case of [`Guest`], which is a little more than its workers take.
fn wall_ns(case: u16, work_cycles: u64) -> u64 {
    let case = u64::from(case);
    work_cycles / case * (100 + 3 * (case - 1)) / 100 * 1_000_000 / KHZ + 5_000_000
}

/// What the host's scheduler did to a vCPU: next to nothing, or half of the time something else.
fn delay(case: u16, vcpu: u32, wall_ns: u64, disturbed: bool) -> VcpuDelay {
    let delay_ns = if disturbed { wall_ns / 2 } else { 100_000 };
    let run_ns = wall_ns - delay_ns;
    VcpuDelay { case, iteration: 0, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches: 9 }
}

fn experiment(name: &str, played: &Played) -> Experiment {
    Experiment {
        name: "smp-process-scale".to_owned(),
        label: Some(name.to_owned()),
        manifest: None,
        manifest_sha256: None,
        pairing: Pairing::Runs,
        rounds: Some(played.rounds - played.disturbed.map_or(0, |_| 1)),
        set_aside_limit: played.rounds,
        cases: played.cases.clone(),
        order_seed: None,
        claim: None,
    }
}

fn environment() -> Environment {
    let accelerator = Accelerator { name: "tcg".to_owned(), emulated: true, why: "played".to_owned() };
    let (system, cpu) = ("Linux 6.1 x86_64".to_owned(), "AMD EPYC".to_owned());
    Environment {
        accelerator: Some(accelerator),
        cpu_model: Some("max".to_owned()),
        host: Some(Host { system, cpu, cpus_online: 2, load: None }),
        ..Environment::default()
    }
}

/// Changes results.json.
pub fn edit_results(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("results.json");
    let mut results: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut results);
    fs::write(&path, results.to_string()).unwrap();
}

/// Another way in than the tests' guest takes.
pub fn by_uefi(record: &mut Record) {
    if let Record::Machine(machine) = record {
        machine.firmware = Firmware::Uefi;
    }
}
