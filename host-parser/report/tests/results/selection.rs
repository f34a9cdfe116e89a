//! Exclusions that follow what is measured.

use evidence::gate::{Gate, HostEvidence, ReasonCode};
use evidence::ledger::{Probe, Probes};
use results::{Claim, ClaimRule, Completion, Conclusion, Environment, Experiment, Results, RunRecord};
use test_support::guest::{Guest, Turn};

use crate::rounds::{experiment, judge, said};

/// How long the whole takes on one CPU, in cycles: 26 ms.
const WHOLE: u64 = 54_600_000;
const ITERATIONS: u16 = 20;
const ROUNDS: u32 = 7;

/// A boot of `case` in which CPUs are slow beside the first `slow` iterations, which take 1.6 times as long.
fn boot(gate: &mut Gate, run: u32, round: u32, case: u16, slow: u16) -> RunRecord {
    let turn = |iteration: u16, worker: u16| {
        // Each iteration and each round differs a little.
        let share = WHOLE / u64::from(case) + u64::from(iteration) * 1_000 + u64::from(round) * 3_000;
        let is_slow = iteration < slow;
        let reads = if is_slow { 7_500 } else { 12_000 } - u32::from(worker);
        let cycles = if is_slow { share * 8 / 5 } else { share };
        Turn { cycles, reads_before: reads, reads_after: reads, taken: [0; 2] }
    };
    let played = (0..ITERATIONS).map(|iteration| (0..case).map(|worker| turn(iteration, worker)).collect());
    let guest = Guest {
        nonce: 1_000 + u64::from(run),
        iterations: ITERATIONS,
        whole: [2, 400, 0, 0],
        played: played.collect(),
        ..Guest::of(case)
    };
    let evidence = HostEvidence { host_cpus: Some(2), ..HostEvidence::default() };
    let verdict = judge(gate, &guest, &evidence);
    let mut record = RunRecord::new(run, round, verdict).with_evidence(evidence);
    record.case = Some(case);
    record
}

/// A session that claims `claim`, with so many slow iterations in each boot of one worker and of two.
fn session(one: u16, two: u16, claim: f64) -> Results {
    let mut gate = Gate::default();
    let mut runs = Vec::new();
    for round in 0..ROUNDS {
        for (case, slow) in [(1, one), (2, two)] {
            let run = u32::try_from(runs.len()).expect("few");
            runs.push(boot(&mut gate, run, round, case, slow));
        }
    }
    let rule = ClaimRule { from: 1, to: 2, min_speedup: claim };
    Results::new(experiment(Some(rule)), Environment::default(), runs, Completion::Complete)
}

#[test]
fn nothing_excluded_is_no_selection() {
    let results = session(0, 0, 1.6);
    assert!(matches!(results.conclusion(), Conclusion::Holds), "{:?}", results.conclusion());
    assert!(results.selection.shares.iter().all(|of| of.share == 0.0 && of.runs == 7));
    assert_eq!(results.selection.tests.iter().map(|of| of.test.p).collect::<Vec<_>>(), [1.0]);
}

#[test]
fn slowness_that_only_two_cpus_have_is_a_selection() {
    let results = session(0, 8, 1.6);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Selection));
    let (reason, detail) = results.refusal().expect("refused");
    assert_eq!(reason, ReasonCode::Selection);
    let expected = "0 % of assay case 1 and 40 % of assay case 2 are excluded, 40 points more than their numbers of CPUs \
                    explain (p = 5.83e-4)";
    assert_eq!(detail, expected);
    let said = said(&results);
    assert!(said.contains("case 2: 40.0 % (0 of 7 runs do not count)"), "{said}");
    assert!(said.contains("case 2 compared with case 1: p = 0.00"), "{said}");
}

#[test]
fn slowness_that_only_one_cpu_has_is_a_selection_too() {
    assert_eq!(session(8, 0, 1.6).conclusion(), Conclusion::Refused(ReasonCode::Selection));
}

#[test]
fn neighbours_of_every_cpu_are_no_selection() {
    // 25 % of one CPU's iterations, and of two CPUs' no more than 44 %.
    for two in [5, 7, 8] {
        let results = session(5, two, 1.2);
        assert_eq!(results.selection.found(), None, "{:?}", results.selection);
        assert!(matches!(results.conclusion(), Conclusion::Holds), "{:?}", results.conclusion());
    }
}

#[test]
fn a_claim_that_only_the_exclusions_make_hold_is_not_made() {
    // Two CPUs lose 20 points of 1.6 times: 1.14 times as long. One loses 5 % of the time less than that.
    let results = session(3, 7, 1.95);
    assert_eq!(results.selection.found(), None);
    let Some(Claim::NotMade { reason, detail }) = results.claim.as_ref().map(|report| &report.claim) else {
        panic!("{:?}", results.claim)
    };
    assert_eq!(*reason, ReasonCode::Selection);
    assert!(detail.starts_with("1.950 is reached by the undisturbed figure"), "{detail}");
    // What was made is near a lower claim.
    assert!(matches!(session(3, 7, 1.3).conclusion(), Conclusion::Holds));
}

#[test]
fn boots_that_are_lost_altogether_count_as_wholly_excluded() {
    let results = session(0, 15, 1.6);
    let lost: Vec<_> = results.selection.shares.iter().map(|of| (of.runs_excluded, of.share)).collect();
    assert_eq!(lost, [(0, 0.0), (7, 1.0)]);
    assert!(results.selection.found().is_some());
}

#[test]
fn probes_that_are_slow_only_on_all_cpus_together_are_a_selection() {
    let session = |slow_one: u64, slow_all: u64| {
        let slow = |round: u32, percent: u64| if round % 2 == 1 { 1_000_000 * percent } else { 100_000_000 };
        let probe = |round| Probe::new(round, 0, slow(round, slow_one), slow(round, slow_all) / 2);
        let probes = Probes { cpus: 2, made: (0..20).map(probe).collect(), ..Probes::default() };
        let mut gate = Gate::default();
        let runs = vec![boot(&mut gate, 0, 40, 1, 0), boot(&mut gate, 1, 40, 2, 0)];
        let experiment = Experiment { set_aside_limit: 100, ..experiment(None) };
        Results::probed(experiment, Environment::default(), probes, runs, Completion::Complete)
    };
    let results = session(100, 250);
    let (reason, detail) = results.refusal().expect("refused");
    assert_eq!(reason, ReasonCode::Selection);
    assert!(
        detail.starts_with("0 % of native probes on one CPU and 50 % of those on all CPUs together are slow"),
        "{detail}"
    );
    assert_eq!(session(250, 250).refusal(), None);
    assert_eq!(session(100, 100).refusal(), None);
}
