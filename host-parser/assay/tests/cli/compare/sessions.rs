//! Writes sealed sessions as `assay run` and `assay ab` leave them, with the logs of simulated guests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use abi::Digest;
use abi::wire::record::Firmware;
use abi::wire::{Hex64, Record};
use evidence::challenge;
use evidence::gate::{Gate, HostEvidence, RunExpectation, VcpuDelay};
use evidence::ledger::{Ledger, Probe, Probes};
use evidence::transcript::Transcript;
use report::{EXPORTERS, write_all};
use results::seal::{Commitment, FORM, SealWriter, SealedManifest, SealedSet};
use results::{
    Accelerator, ClaimRule, Environment, Experiment, Host, Pairing, Results, RunRecord, SealedRun, Tool,
};
use serde_json::Value;
use tempfile::TempDir;

use crate::guest::Guest;
use crate::script::Script;
use crate::stage::of_the_guest;

pub use super::played::{Again, Played, noisy, probed, slower, steady};

/// The start of the first run, in milliseconds since 1970.
const START_MS: u64 = 1_795_000_000_000;

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
        Play::begin(name, folder.clone(), vec![(None, played)]).play();
        folder
    }

    /// Writes one session with a folder for each row, and returns its folder.
    pub fn play_rows(&self, name: &str, rows: &[(&str, Played)]) -> PathBuf {
        let folder = self.path(name);
        let rows = rows.iter().map(|(row, played)| (Some((*row).to_owned()), played)).collect();
        Play::begin(name, folder.clone(), rows).play();
        folder
    }
}

/// A session that is played.
struct Play<'p> {
    /// Its folder's name, which its nonces depend on.
    name: String,
    folder: PathBuf,
    rows: Vec<(Option<String>, &'p Played)>,
    gates: Vec<Gate>,
    ledger: Ledger,
    seal: SealWriter,
    runs: Vec<RunRecord>,
    row_of: Vec<usize>,
    challenge: u64,
}

impl<'p> Play<'p> {
    fn begin(name: &str, folder: PathBuf, rows: Vec<(Option<String>, &'p Played)>) -> Self {
        for (row, _) in &rows {
            fs::create_dir_all(in_row(&folder, row.as_deref()).join("runs")).unwrap();
        }
        let first = rows[0].1;
        let cpus = if first.probe_ns.is_some() { 2 } else { 0 };
        let probes = Probes { cpus, ..Probes::default() };
        let manifest = of_the_guest();
        let sha256 = Digest::of(manifest.as_bytes());
        let sets = rows.iter().map(|(row, played)| {
            let mut environment = environment();
            (played.environment)(&mut environment);
            let experiment = experiment(row.as_deref().unwrap_or(name), row.is_some(), sha256, played);
            SealedSet { row: row.clone(), experiment, environment }
        });
        let commitment = Commitment {
            form: FORM,
            session: Digest::of(name.as_bytes()).to_string()[..32].to_owned(),
            started_unix_ms: START_MS,
            command: "played".to_owned(),
            tool: Tool::default(),
            executable_sha256: None,
            manifest: SealedManifest { path: "x.toml".to_owned(), sha256 },
            rounds: asked(first),
            runs_per_round: u32::try_from(rows.len() * first.cases.len()).unwrap(),
            probes: probes.clone(),
            sets: sets.collect(),
        };
        let seal = SealWriter::create(&folder, commitment, &manifest, None).unwrap();
        let gates = rows.iter().map(|_| Gate::default()).collect();
        let (name, ledger) = (name.to_owned(), Ledger::new(probes).repeating(first.again.times()));
        let challenge = challenge::first(seal.head());
        Self { name, folder, rows, gates, ledger, seal, runs: Vec::new(), row_of: Vec::new(), challenge }
    }

    fn play(mut self) {
        let first = self.rows[0].1;
        for round in 0..first.rounds {
            self.probe(round);
            for &case in &first.cases {
                for row in 0..self.rows.len() {
                    let disturbed = first.disturbed == Some(round);
                    self.run(row, round, case, disturbed);
                    if first.again.makes_again(disturbed) {
                        self.run(row, round, case, false);
                    }
                }
            }
        }
        self.probe(first.rounds);
        self.end();
    }

    fn probe(&mut self, before_round: u32) {
        let Some(ns) = self.rows[0].1.probe_ns else { return };
        self.ledger.add_probe(Probe::new(before_round, 0, ns, ns / 2));
        self.seal.probes(&self.ledger, &self.runs).unwrap();
    }

    fn run(&mut self, row: usize, round: u32, case: u16, disturbed: bool) {
        let (name, played) = &self.rows[row];
        let folder = in_row(&self.folder, name.as_deref());
        let number = u32::try_from(self.runs.len()).unwrap();
        let of = Of { session: &self.name, number, round, case, challenge: self.challenge, disturbed };
        let record = RunRecord { set: row, ..run(&mut self.gates[row], &folder, played, of) };
        self.challenge = challenge::next(self.challenge, record.made.end_digest.unwrap(), number + 1);
        self.ledger.add_run(&record);
        self.runs.push(record);
        self.row_of.push(row);
        self.seal.run(row, &self.ledger, &self.runs).unwrap();
    }

    fn end(mut self) {
        let mut files = BTreeMap::new();
        for (place, (row, played)) in self.rows.iter().enumerate() {
            let runs = self.runs.iter().zip(&self.row_of).filter(|(_, of)| **of == place);
            let runs = runs.map(|(run, _)| run.clone()).collect();
            let name = row.as_deref().unwrap_or(&self.name);
            let sha256 = Digest::of(of_the_guest().as_bytes());
            let experiment = experiment(name, row.is_some(), sha256, played);
            let mut environment = environment();
            (played.environment)(&mut environment);
            let completion = played.completion.clone();
            let results = Results::of_session(experiment, environment, &self.ledger, runs, completion);
            let folder = in_row(&self.folder, row.as_deref());
            write_all(&folder, &results).unwrap();
            for name in EXPORTERS.map(report::Exporter::file_name) {
                let path = in_row(Path::new(""), row.as_deref()).join(name);
                let sha256 = Digest::of(&fs::read(folder.join(name)).unwrap());
                files.insert(path.display().to_string(), sha256);
            }
        }
        self.seal.end(&self.rows[0].1.completion, files).unwrap();
    }
}

/// The folder of a row.
fn in_row(folder: &Path, row: Option<&str>) -> PathBuf {
    row.map_or(folder.to_owned(), |row| folder.join(row))
}

/// Which run it is.
struct Of<'s> {
    session: &'s str,
    number: u32,
    round: u32,
    case: u16,
    challenge: u64,
    disturbed: bool,
}

/// Judges one run, and writes its log into the folder.
fn run(gate: &mut Gate, folder: &Path, played: &Played, of: Of<'_>) -> RunRecord {
    let Of { session, number, round, case, challenge, disturbed } = of;
    let work_cycles = (played.cycles)(round);
    // No two runs of any sessions of a test have the same.
    let digest = Digest::of(format!("{session} {number}").as_bytes());
    let nonce = u64::from_be_bytes(*digest.0.first_chunk().unwrap());
    let iterations = played.iterations;
    let first = played.first;
    let khz = played.khz;
    let guest = Guest { nonce, challenge, work_cycles, iterations, first, khz, ..Guest::of(case) };
    let pace = |readings: u32| u32::try_from(u64::from(readings) * (played.pace)(round) / 1_000).unwrap();
    let system = (played.system)(case);
    let paced = Script::of(&guest.log()).edit(|record| {
        if let Record::System(record) = record {
            record.name = system.name();
        }
        if let Record::Gap(gap) = record {
            (gap.reads_before, gap.reads_after) = (pace(gap.reads_before), pace(gap.reads_after));
        }
    });
    let mut log = paced.edit(played.edit).log();
    (played.damage)(number, &mut log);
    let name = format!("run-{number:03}-round-{}-case-{case}.serial.log", round + 1);
    fs::write(folder.join("runs").join(&name), &log).unwrap();
    let mut delays = Vec::new();
    for iteration in 0..played.iterations {
        let percent = if iteration < first.0 { first.1 } else { 100 };
        let wall_ns = wall_ns(case, work_cycles * percent / 100, khz);
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
    let (transcript, expected) = (Transcript::read(&log), RunExpectation::default());
    let verdict = gate.judge(&transcript, &expected, &evidence);
    let mut record = RunRecord::new(number, round, verdict).with_evidence(evidence);
    record.system = system;
    record.case = Some(case);
    let made = record.making();
    made.log = Some(format!("where/it/was/{name}").into());
    made.started_unix_ms = Some(START_MS + played.later_ms + u64::from(number) * 1_000);
    made.wall_ms = Some(400);
    made.challenge = Some(Hex64(challenge));
    made.end_digest = Some(challenge::ended(&transcript.boots, &log));
    made.sealed = Some(Box::new(SealedRun::of(&log, expected)));
    record
}

/// The time for which the host watches a case of [`Guest`]: a little longer than its workers run.
fn wall_ns(case: u16, work_cycles: u64, khz: u64) -> u64 {
    let case = u64::from(case);
    work_cycles / case * (100 + 3 * (case - 1)) / 100 * 1_000_000 / khz + 5_000_000
}

/// The run delay of a vCPU: next to nothing, or half of the time.
fn delay(case: u16, vcpu: u32, wall_ns: u64, disturbed: bool) -> VcpuDelay {
    let delay_ns = if disturbed { wall_ns / 2 } else { 100_000 };
    let run_ns = wall_ns - delay_ns;
    VcpuDelay { case, iteration: 0, vcpu, wall_ns, run_ns, delay_ns, involuntary_switches: 9 }
}

/// How many rounds are to count.
fn asked(played: &Played) -> u32 {
    let lost = played.disturbed.filter(|_| played.again == Again::Never).map_or(0, |_| 1);
    played.asked.unwrap_or(played.rounds - lost)
}

fn experiment(name: &str, of_row: bool, manifest: Digest, played: &Played) -> Experiment {
    Experiment {
        name: "smp-process-scale".to_owned(),
        label: Some(name.to_owned()),
        manifest: Some("x.toml".to_owned()),
        manifest_sha256: Some(manifest.to_string()),
        pairing: Pairing::Runs,
        rounds: Some(asked(played)),
        set_aside_limit: played.limit.unwrap_or(played.rounds),
        repeats: played.again.repeats(played),
        patience_ms: played.patience_ms,
        cases: played.cases.clone(),
        order_seed: played.seed,
        // That of the shipped manifest; of rows that are apart the comparison makes it.
        claim: (!of_row).then_some(ClaimRule { from: 1, to: 2, min_speedup: 1.6 }),
        scaling: None,
        work_unit: None,
    }
}

fn environment() -> Environment {
    let accelerator = Accelerator { name: "tcg".to_owned(), emulated: true, why: "played".to_owned() };
    let (system, cpu) = ("Linux 6.1 x86_64".to_owned(), "AMD EPYC".to_owned());
    Environment {
        accelerator: Some(accelerator),
        cpu_model: Some("max".to_owned()),
        qemu_args: Vec::new(),
        host: Some(Host { system, cpu, cpus_online: 2, load: None }),
        ..Environment::default()
    }
}

/// Changes results.json in place, as an editor would.
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
