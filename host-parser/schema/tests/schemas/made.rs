//! Made-up sessions.

use abi::wire::Record;
use evidence::gate::{Ended, Gate, HostEvidence, HostSteal, RunExpectation, VcpuDelay};
use evidence::transcript::Transcript;
use results::{ClaimRule, Completion, Environment, Experiment, Pairing, Results, RunRecord};
use test_support::guest::Guest;
use test_support::platform::log_with;

/// Three boots with these rows besides, and one that came to nothing.
pub fn results(records: &[Record]) -> Results {
    let mut gate = Gate::default();
    let mut runs: Vec<RunRecord> = Vec::new();
    for run in 0..3_u32 {
        let nonce = 40_000 + u64::from(run);
        let guest =
            Guest { nonce, whole: [2, 3_000, 0, 0], work_cycles: 50_000_000 + 91 * nonce, ..Guest::of(2) };
        let log = if records.is_empty() { guest.log() } else { log_with(&guest, records) };
        let evidence = evidence();
        let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
        let record = RunRecord::new(run, run, verdict).with_evidence(evidence);
        runs.push(RunRecord { case: Some(2), ..record });
    }
    let evidence = HostEvidence { ended: Ended::Deadline, ..HostEvidence::default() };
    let verdict = gate.judge(&Transcript::read(b""), &RunExpectation::default(), &evidence);
    runs.push(RunRecord { case: Some(2), ..RunRecord::new(3, 3, verdict).with_evidence(evidence) });
    let why = "stopped by hand".to_owned();
    Results::new(experiment(), Environment::default(), runs, Completion::Partial { why })
}

fn evidence() -> HostEvidence {
    let delay = |vcpu| VcpuDelay {
        case: 2,
        iteration: 0,
        vcpu,
        wall_ns: 20_000_000,
        run_ns: 20_000_000,
        delay_ns: 0,
        involuntary_switches: 1,
    };
    HostEvidence {
        ended: Ended::DebugExit { value: 0x10 },
        vcpus: Some(2),
        host_cpus: Some(2),
        delays: vec![delay(0), delay(1)],
        host_steal: Some(HostSteal { cpu: 0, stolen_ms: 0, wall_ms: 100 }),
        ..HostEvidence::default()
    }
}

fn experiment() -> Experiment {
    Experiment {
        name: "made".to_owned(),
        label: None,
        manifest: None,
        manifest_sha256: None,
        pairing: Pairing::Runs,
        rounds: Some(4),
        set_aside_limit: 4,
        repeats: None,
        patience_ms: Some(60_000),
        cases: vec![2],
        order_seed: Some(1),
        claim: Some(ClaimRule { from: 1, to: 2, min_speedup: 1.6 }),
        scaling: None,
        work_unit: None,
    }
}
