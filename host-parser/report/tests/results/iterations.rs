//! Boots that run their case several times: which of the times count, and what stands for them.

use std::collections::BTreeMap;

use abi::wire::Record;
use evidence::gate::{Gate, HostEvidence, Measurement, RunExpectation, VcpuDelay, Verdict};
use evidence::transcript::Transcript;
use results::{Completion, Environment, Results, RunRecord};

use super::rounds::{experiment, said};
use test_support::guest::Guest;
use test_support::script::Script;

const ITERATIONS: u16 = 12;

/// What one takes, in cycles.
const WORK: u64 = 56_000_000;

/// What becomes of rounds of one CPU, which in the third is only as quick, in per mille, as `reads` says just after each of
/// the first `slow` iterations.
fn results(slow: u16, reads: u32) -> Results {
    let run = |round: u32| {
        let verdict = if round == 2 { judged(round, slow, reads) } else { judged(round, 0, 1_000) };
        RunRecord { case: Some(1), ..RunRecord::new(round, round, verdict) }
    };
    let runs = (0..5).map(run).collect();
    Results::new(experiment(None), Environment::default(), runs, Completion::Complete)
}

/// What the gate says of one round's boot.
fn judged(round: u32, slow: u16, reads: u32) -> Verdict<Measurement> {
    let nonce = 8000 + u64::from(round);
    let guest = Guest { nonce, iterations: ITERATIONS, work_cycles: WORK, ..Guest::of(1) };
    let script = Script::of(&guest.log()).edit(|record| match record {
        Record::Gap(gap) if gap.iter < slow => gap.reads_after = gap.reads_after * reads / 1_000,
        _ => {}
    });
    let log = script.log();
    let evidence = HostEvidence { vcpus: Some(1), host_cpus: Some(1), ..HostEvidence::default() };
    Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence)
}

#[test]
fn an_iteration_beside_which_a_cpu_was_slow_counts_for_nothing_and_the_rest_counts() {
    let results = results(6, 550);
    assert!(results.excluded_rounds.is_empty(), "{:?}", results.excluded_rounds);
    assert_eq!(results.cases[0].stats.cycles.n, 5);
    let samples = results.runs[2].verdict.outcome.measurement().expect("it passed").samples();
    let gone = samples.iter().filter(|sample| sample.excluded.is_some());
    assert_eq!(gone.map(|sample| sample.iteration).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5]);
    let text = said(&results);
    assert!(
        text.contains("6 of 60 iterations excluded (each boot must keep at least half): 6 cpu-slowed"),
        "{text}"
    );
}

#[test]
fn a_boot_of_which_too_little_is_left_costs_the_round() {
    let results = results(7, 550);
    assert_eq!(results.excluded_rounds.keys().copied().collect::<Vec<_>>(), [3]);
    let excluded = &results.excluded_rounds[&3];
    assert!(excluded.detail.ends_with("; 7 of its 12 iterations are excluded"), "{excluded}");
    assert_eq!(results.cases[0].stats.cycles.n, 4);
}

#[test]
fn a_side_of_several_has_the_iterations_set_aside_that_all_of_them_show_and_no_others() {
    let Results { experiment, environment, probes, mut runs, .. } = results(0, 1_000);
    // What its own looks alone would say does not count.
    runs[2].verdict = judged(2, 8, 550);
    let rounds = BTreeMap::new();
    let side = Results::of_rounds(experiment, environment, probes, runs, Completion::Complete, rounds);
    let samples = side.runs[2].verdict.outcome.measurement().expect("it passed").samples();
    assert!(samples.iter().all(|sample| sample.excluded.is_none()));
}

#[test]
fn a_cpu_that_is_hardly_slower_is_left_alone() {
    let results = results(12, 920);
    let slow = results.pace.map(|pace| (pace.checks, pace.slow));
    assert_eq!((slow, results.excluded_rounds.len()), (Some((5 * 12 * 2, 0)), 0));
}

#[test]
fn an_iteration_that_the_host_disturbed_is_left_out_of_its_boot() {
    let delay = |iteration, delay_ns| VcpuDelay {
        case: 1,
        iteration,
        vcpu: 0,
        wall_ns: 29_000_000,
        run_ns: 29_000_000 - delay_ns,
        delay_ns,
        involuntary_switches: 1,
    };
    let judged = |disturbed: u16| {
        let each = (0..ITERATIONS).map(|iter| delay(iter, if iter < disturbed { 12_000_000 } else { 0 }));
        let evidence = HostEvidence {
            delays: each.collect(),
            watched: true,
            vcpus: Some(1),
            host_cpus: Some(1),
            ..HostEvidence::default()
        };
        let guest = Guest { nonce: 9000, iterations: ITERATIONS, work_cycles: WORK, ..Guest::of(1) };
        let log = guest.log();
        Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence)
    };
    let verdict = judged(6);
    let samples = verdict.outcome.measurement().unwrap_or_else(|| panic!("{verdict:?}")).samples();
    assert_eq!(samples.iter().filter(|sample| sample.excluded.is_some()).count(), 6);
    assert_eq!(judged(7).outcome.refusal().map(|(reason, _)| reason.code()), Some("vcpu-preempted"));
}
