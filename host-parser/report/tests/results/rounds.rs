//! Made-up sessions: rounds of guests that did everything right, and what was known beside them.

use evidence::gate::{Ended, Gate, HostEvidence, Measurement, RunExpectation, Verdict};
use evidence::transcript::Transcript;
use results::{
    Accelerator, Artifact, ClaimRule, Completion, Environment, Experiment, Host, Pairing, Pinning, Program,
    Results, RunRecord,
};

use test_support::guest::Guest;

/// What the experiment claims.
pub const RULE: ClaimRule = ClaimRule { from: 1, to: 2, min_speedup: 1.6 };

/// How much longer than planned the work takes in each round, in percent.
pub type Slowness = [u64; 7];

/// A host that did little else.
pub const QUIET: Slowness = [100, 103, 101, 100, 107, 102, 100];

/// What the gate says of the guest.
pub fn judge(gate: &mut Gate, guest: &Guest, evidence: &HostEvidence) -> Verdict<Measurement> {
    let log = guest.log();
    gate.judge(&Transcript::read(&log), &RunExpectation::default(), evidence)
}

/// Rounds of the cases, of which each round is slowed as a whole, and each case as its own list says.
pub fn runs(rounds: usize, cases: &[(u16, Slowness)], host_cpus: u16) -> Vec<RunRecord> {
    let mut gate = Gate::default();
    let mut runs: Vec<RunRecord> = Vec::new();
    for round in 0..rounds {
        for &(case, slowness) in cases {
            let run = u32::try_from(runs.len()).expect("few");
            let evidence = HostEvidence {
                ended: Ended::DebugExit { value: 0x10 },
                vcpus: Some(case),
                host_cpus: Some(host_cpus),
                ..HostEvidence::default()
            };
            let work_cycles = 17_180_000 * QUIET[round] * slowness[round] / 100;
            let guest = Guest { nonce: 1000 + u64::from(run), work_cycles, ..Guest::of(case) };
            let verdict = judge(&mut gate, &guest, &evidence);
            let mut record =
                RunRecord::new(run, u32::try_from(round).expect("few"), verdict).with_evidence(evidence);
            record.case = Some(case);
            runs.push(record);
        }
    }
    runs
}

/// What was to be done.
pub fn experiment(claim: Option<ClaimRule>) -> Experiment {
    Experiment {
        name: "smp-process-scale".to_owned(),
        label: Some("test".to_owned()),
        manifest: Some("manifests/smp-process-scale.toml".to_owned()),
        manifest_sha256: None,
        pairing: Pairing::Runs,
        rounds: Some(7),
        set_aside_limit: 7,
        repeats: None,
        patience_ms: None,
        cases: vec![1, 2],
        order_seed: Some(42),
        claim,
        scaling: None,
        work_unit: None,
    }
}

/// The results of a complete session that claims [`RULE`].
pub fn results(runs: Vec<RunRecord>) -> Results {
    Results::new(experiment(Some(RULE)), Environment::default(), runs, Completion::Complete)
}

/// Where it was done.
pub fn environment() -> Environment {
    Environment {
        accelerator: Some(Accelerator {
            name: "tcg".to_owned(),
            emulated: true,
            why: "no vmx or svm in /proc/cpuinfo".to_owned(),
        }),
        qemu: Some(Program {
            path: "/usr/bin/qemu-system-x86_64".to_owned(),
            version: "QEMU emulator version 7.2.22".to_owned(),
        }),
        vmm: None,
        machine: Some("q35".to_owned()),
        cpu_model: Some("max".to_owned()),
        qemu_args: Vec::new(),
        firmware: Some("bios".to_owned()),
        memory_mib: Some(128),
        host: Some(Host {
            system: "Linux 6.1.0".to_owned(),
            cpu: "Some CPU".to_owned(),
            cpus_online: 2,
            load: Some(0.25),
        }),
        pinning: Some(Pinning { host_cpus: "0-1".to_owned(), asked_by: "--cpus".to_owned(), cores: Some(2) }),
        artifacts: vec![Artifact { name: "image".to_owned(), sha256: "ab".repeat(32), bytes: 1_048_576 }],
    }
}

/// Quiet rounds of three cases on two host CPUs, with one run that was stopped.
pub fn whole() -> Results {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET), (4, QUIET)], 2);
    runs[0].making().command = ["qemu-system-x86_64", "-smp", "1"].map(str::to_owned).to_vec();
    let experiment = Experiment { cases: vec![1, 2, 4], ..experiment(Some(RULE)) };
    Results::new(experiment, environment(), runs, Completion::Complete)
}

/// What the terminal shows, as one line.
pub fn said(results: &Results) -> String {
    report::terminal(results).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A run that never came to print a record.
pub fn refused() -> RunRecord {
    let evidence = HostEvidence { ended: Ended::Deadline, ..HostEvidence::default() };
    let verdict = Gate::default().judge(&Transcript::read(b""), &RunExpectation::default(), &evidence);
    let mut record = RunRecord::new(99, 3, verdict).with_evidence(evidence);
    record.case = Some(2);
    record
}
