//! What is claimed of rounds that passed, and when nothing is.

use evidence::gate::{Cycles, Gate, HostEvidence, Nanos, ReasonCode, RunExpectation};
use evidence::transcript::Transcript;
use results::{
    Claim, ClaimRule, Completion, Conclusion, Environment, Experiment, Pairing, Results, RunRecord, Series,
};

use super::rounds::{QUIET, RULE, experiment, judge, refused, results, runs, said, whole};
use test_support::golden;
use test_support::guest::Guest;
use test_support::script::Script;

#[test]
fn a_clear_speedup_holds() {
    let results = results(runs(7, &[(1, QUIET), (2, QUIET)], 2));
    assert_eq!(results.conclusion(), Conclusion::Holds);
    let Some(Claim::Holds(evidence)) = results.claim.map(|report| report.claim) else { panic!("holds") };
    assert!((evidence.median - 1.9417).abs() < 1e-3, "{evidence:?}");
    assert_eq!((evidence.rounds, evidence.rounds_reaching), (7, 7));
    assert!((evidence.sign_confidence - (1.0 - 2.0 / 128.0)).abs() < 1e-12);
}

#[test]
fn rounds_are_paired_so_that_a_slow_round_costs_nothing() {
    let results = results(runs(7, &[(1, QUIET), (2, QUIET)], 2));
    let speedup = results.cases[1].stats.speedup.as_ref().expect("paired");
    let spread =
        speedup.ratios.iter().fold(0.0_f64, |spread, ratio| spread.max((ratio - speedup.median).abs()));
    assert!(spread < 1e-3 && results.cases[1].stats.cycles.cv.expect("seven") > 0.02, "{spread}");
    assert_eq!(results.cases[0].stats.speedup.as_ref().map(|speedup| speedup.median), Some(1.0));
    assert!((speedup.efficiency - speedup.median / 2.0).abs() < 1e-12);
}

#[test]
fn a_poor_speedup_does_not_hold_and_a_mixed_one_is_inconclusive() {
    let poor = runs(7, &[(1, QUIET), (2, [130; 7])], 2);
    assert_eq!(results(poor).conclusion(), Conclusion::DoesNotHold);
    let mixed = runs(7, &[(1, QUIET), (2, [100, 100, 100, 100, 100, 130, 130])], 2);
    assert_eq!(results(mixed).conclusion(), Conclusion::Inconclusive);
}

#[test]
fn four_rounds_are_too_few() {
    let results = results(runs(4, &[(1, QUIET), (2, QUIET)], 2));
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::TooFewRounds));
    assert_eq!(results.cases[1].stats.speedup.as_ref().expect("paired").interval, None);
}

#[test]
fn nothing_is_claimed_of_a_functional_only_case() {
    let results = results(runs(7, &[(1, QUIET), (2, QUIET)], 1));
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Oversubscribed));
    assert!(
        results.cases[0].stats.functional_only.is_none() && results.cases[1].stats.functional_only.is_some()
    );
}

#[test]
fn a_functional_only_case_outside_the_claim_does_not_touch_it() {
    assert_eq!(whole().conclusion(), Conclusion::Holds);
}

#[test]
fn nothing_is_claimed_of_workers_that_shared_cores() {
    let log = std::fs::read(golden::transcript("good-sweep-smt.log")).expect("a golden transcript");
    let read = Transcript::read(&log);
    let verdict = Gate::default().judge(&read, &RunExpectation::default(), &HostEvidence::default());
    let claiming = |to| {
        let rule = ClaimRule { from: 1, to, min_speedup: 1.6 };
        let experiment = Experiment { pairing: Pairing::Iterations, ..experiment(Some(rule)) };
        let runs = vec![RunRecord::new(0, 0, verdict.clone())];
        Results::new(experiment, Environment::default(), runs, Completion::Complete).conclusion()
    };
    assert_eq!(claiming(4), Conclusion::WithinBoot);
    assert_eq!(claiming(8), Conclusion::Refused(ReasonCode::SharedCores));
}

#[test]
fn nothing_is_claimed_where_a_run_did_not_pass() {
    let mut runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    runs.push(refused());
    let results = results(runs);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Timeout));
    assert_eq!(results.cases[1].stats.cycles.n, 7, "what was measured is kept");
}

#[test]
fn nothing_is_claimed_of_half_an_experiment() {
    let completion = Completion::Partial { why: "14 of 21 runs were made: interrupted".to_owned() };
    let runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    let results = Results::new(experiment(Some(RULE)), Environment::default(), runs, completion);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Incomplete));
    assert!(!results.complete && said(&results).contains("INCOMPLETE: 14 of 21 runs"));
}

#[test]
fn iterations_of_one_boot_are_rounds_where_it_has_all_cases() {
    let sweep = Guest { cases: vec![1, 2, 4], iterations: 5, ..Guest::of(4) };
    let verdict = judge(&mut Gate::default(), &sweep, &HostEvidence::default());
    let measurement = verdict.outcome.measurement().expect("passed");
    let series = Series::new(Pairing::Iterations, [(0, measurement)]);
    assert_eq!((series.rounds(1), series.rounds(4)), (5, 5));
    let series = Series::new(Pairing::Runs, [(0, measurement)]);
    assert_eq!(series.rounds(1), 1, "iterations that share a boot share its luck");
}

#[test]
fn runs_of_different_programs_are_not_compared() {
    let mut gate = Gate::default();
    let good = judge(&mut gate, &Guest::of(1), &HostEvidence::default());
    assert!(good.outcome.measurement().is_some());
    let other = Script::of(&Guest::of(2).log()).edit(|record| match record {
        abi::wire::Record::Blob(blob) => blob.sha256 = abi::Digest::of(b"another"),
        abi::wire::Record::Start(start) => start.build.0 += 1,
        _ => {}
    });
    let log = other.log();
    let verdict = gate.judge(&Transcript::read(&log), &RunExpectation::default(), &HostEvidence::default());
    let found: Vec<_> = verdict.findings.iter().map(|finding| finding.reason).collect();
    assert_eq!(found, [ReasonCode::KernelMismatch, ReasonCode::BlobMismatch]);
}

#[test]
fn cycles_become_nanoseconds_without_overflow() {
    assert_eq!(Cycles(2_100_000_000).nanos(2_100_000), Some(Nanos(1_000_000_000)));
    assert_eq!(Cycles(u64::MAX).nanos(1), None);
    assert_eq!(Cycles(1).nanos(0), None);
}
