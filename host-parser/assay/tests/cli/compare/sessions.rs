//! Writes sessions as `assay run` leaves them, with the logs of simulated guests.

use std::fs;
use std::path::{Path, PathBuf};

use abi::wire::Record;
use abi::wire::record::Firmware;
use evidence::gate::{Gate, HostEvidence, RunExpectation, VcpuDelay};
use evidence::transcript::Transcript;
use results::Pairing;
use results::{Accelerator, Completion, Environment, Experiment, Host, Results, RunRecord};
use serde_json::Value;
use tempfile::TempDir;

use crate::guest::{Guest, KHZ};
use crate::script::Script;

/// The start of the first run, in milliseconds since 1970.
const START_MS: u64 = 1_795_000_000_000;

/// What happens in a session.
#[derive(Clone)]
pub struct Played {
    pub rounds: u32,
    pub cases: Vec<u16>,
    /// The time of the whole work on one CPU, in cycles, in each round.
    pub cycles: fn(u32) -> u64,
    /// How often each boot runs its case.
    pub iterations: u16,
    /// The readings of the pace checks, in per mille of the usual number, in each round.
    pub pace: fn(u32) -> u64,
    /// A round in which the host kept a vCPU waiting.
    pub disturbed: Option<u32>,
    /// A change to every record of every log.
    pub edit: fn(&mut Record),
    /// CPUs of the host.
    pub host_cpus: u16,
    /// How much later than those of other sessions its runs start, in milliseconds.
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

/// Within 0.7 % of the middle, about 1.7e9 cycles, in no order.
pub fn steady(round: u32) -> u64 {
    1_700_000_000 + u64::from(round * 7 % 15) * 1_600_000
}

/// The same in another order, and 5 % slower.
pub fn slower(round: u32) -> u64 {
    steady(round * 4 + 3) * 105 / 100
}

/// From 1.0e9 to 2.4e9 cycles, in no order.
pub fn noisy(round: u32) -> u64 {
    1_000_000_000 + u64::from(round * 11 % 15) * 100_000_000
}

/// A folder of sessions, removed when dropped.
pub struct Sessions(TempDir);

impl Sessions {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    /// The folder of a session.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a session and returns its folder.
    pub fn play(&self, name: &str, played: &Played) -> PathBuf {
        let folder = self.path(name);
        fs::create_dir_all(folder.join("runs")).unwrap();
        let mut gate = Gate::default();
        let slots = (0..played.rounds).flat_map(|round| played.cases.iter().map(move |&case| (round, case)));
        let runs = (0..).zip(slots).map(|(number, slot)| run(&mut gate, &folder, played, number, slot));
        let runs: Vec<RunRecord> = runs.collect();
        let mut environment = environment();
        (played.environment)(&mut environment);
        // The statistics take long to compute, and `compare` does not read them: leave them out.
        let results =
            Results::new(experiment(name, played), environment, Vec::new(), played.completion.clone());
        let mut results = serde_json::to_value(results).unwrap();
        results["runs"] = serde_json::to_value(runs).unwrap();
        fs::write(folder.join("results.json"), results.to_string()).unwrap();
        folder
    }
}

/// Judges one run, and writes its log into the folder.
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
    let disturbed = played.disturbed == Some(round);
    let mut delays = Vec::new();
    for iteration in 0..played.iterations {
        for vcpu in 0..u32::from(case) {
            delays.push(VcpuDelay { iteration, ..delay(case, vcpu, wall_ns, disturbed) });
        }
    }
    let evidence = HostEvidence {
        vcpus: Some(case),
        host_cpus: Some(played.host_cpus),
        watched: true,
        delays,
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

/// The time for which the host watches a case of [`Guest`]: a little longer than its workers run.
fn wall_ns(case: u16, work_cycles: u64) -> u64 {
    let case = u64::from(case);
    work_cycles / case * (100 + 3 * (case - 1)) / 100 * 1_000_000 / KHZ + 5_000_000
}

/// The run delay of a vCPU: next to nothing, or half of the time.
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

/// Changes results.json in place.
pub fn edit_results(folder: &Path, change: impl FnOnce(&mut Value)) {
    let path = folder.join("results.json");
    let mut results: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    change(&mut results);
    fs::write(&path, results.to_string()).unwrap();
}

/// Changes the boot path of the tests' guest to UEFI.
pub fn by_uefi(record: &mut Record) {
    if let Record::Machine(machine) = record {
        machine.firmware = Firmware::Uefi;
    }
}
