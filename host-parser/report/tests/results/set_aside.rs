//! Rounds that count for nothing, since the host disturbed them.

use std::collections::{BTreeMap, BTreeSet};

use abi::control::ControlKind;
use abi::wire::Record;
use abi::wire::record::Control;
use evidence::gate::{
    Exclusion, Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, Scope, VcpuDelay, Verdict,
};
use evidence::ledger::{Probe, Probes};
use evidence::transcript::Transcript;
use results::{Completion, Conclusion, Environment, Experiment, Results, RunRecord};

use super::rounds::{QUIET, RULE, experiment, judge, refused, results, runs, said};
use test_support::guest::Guest;
use test_support::script::Script;

/// The same run, in which the host kept a vCPU waiting.
pub fn disturbed_run(run: &RunRecord) -> RunRecord {
    let mut run = run.clone();
    let case = run.case.expect("a case");
    let delay = VcpuDelay {
        case,
        iteration: 0,
        vcpu: 0,
        wall_ns: 200_000_000,
        run_ns: 100_000_000,
        delay_ns: 100_000_000,
        involuntary_switches: 9,
    };
    let evidence = HostEvidence { delays: vec![delay], ..run.made.evidence.clone() };
    let guest = Guest { nonce: 5000 + u64::from(run.run), ..Guest::of(case) };
    run.verdict = judge(&mut Gate::default(), &guest, &evidence);
    run
}

/// The same runs, of which the host disturbed case 2 in so many rounds.
fn disturbed(mut runs: Vec<RunRecord>, rounds: u32) -> Vec<RunRecord> {
    for run in runs.iter_mut().filter(|run| run.round < rounds && run.case == Some(2)) {
        *run = disturbed_run(run);
    }
    runs
}

#[test]
fn a_round_that_the_host_disturbed_counts_for_nothing_and_condemns_nothing() {
    let results = results(disturbed(runs(7, &[(1, QUIET), (2, QUIET)], 2), 2));
    assert_eq!(results.conclusion(), Conclusion::Holds);
    assert_eq!(
        (results.cases[0].stats.cycles.n, results.cases[1].stats.cycles.n),
        (5, 5),
        "case 1 of the round goes too"
    );
    let set_aside = results.runs.iter().filter(|run| run.excluded.is_some());
    assert_eq!(set_aside.map(|run| run.round).collect::<Vec<_>>(), [0, 0, 1, 1]);
    assert!(said(&results).contains("2 rounds excluded (at most 7 may be):"));
}

#[test]
fn too_many_disturbed_rounds_condemn_the_experiment() {
    let runs = disturbed(runs(7, &[(1, QUIET), (2, QUIET)], 2), 2);
    let experiment = Experiment { set_aside_limit: 1, ..experiment(Some(RULE)) };
    let results = Results::new(experiment, Environment::default(), runs, Completion::Complete);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::HostContended));
}

#[test]
fn a_run_that_failed_is_not_hidden_by_what_the_host_did_to_its_round() {
    let quiet = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    let run = refused();
    let at = quiet.iter().position(|of| (of.round, of.case) == (run.round, run.case)).expect("a run");
    let mut runs = quiet;
    runs[at].verdict = run.verdict;
    // The probe after its round is slow: the round is set aside, and its failure stands.
    let results = probed(runs, run.round + 1);
    assert!(results.runs[at].excluded.is_some());
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::Timeout));
    assert!(said(&results).contains("timeout"), "{}", said(&results));
}

#[test]
fn a_round_that_was_not_even_begun_is_listed() {
    let runs: Vec<RunRecord> =
        runs(7, &[(1, QUIET), (2, QUIET)], 2).into_iter().filter(|run| run.round != 3).collect();
    let results = probed(runs, 3);
    assert_eq!(results.excluded_rounds.keys().copied().collect::<Vec<_>>(), [3, 4]);
    assert!(said(&results).contains("round 4: probe-slow: the native probe before it took"));
}

#[test]
fn what_stands_first_among_the_reasons_decides() {
    let mut runs = disturbed(runs(7, &[(1, QUIET), (2, QUIET)], 2), 2);
    runs[9].verdict = unnoticed_control();
    let experiment = Experiment { set_aside_limit: 1, ..experiment(Some(RULE)) };
    let results = Results::new(experiment, Environment::default(), runs, Completion::Complete);
    assert_eq!(results.conclusion(), Conclusion::Refused(ReasonCode::HostContended));
}

/// What the gate says of a guest that was said to do wrong, and did nothing.
fn unnoticed_control() -> Verdict<Measurement> {
    let control = Control { kind: ControlKind::DoubleRecord, target: 0 };
    let script = Script::of(&Guest { nonce: 7000, ..Guest::of(2) }.log());
    let log = script.insert_before(control, |record| matches!(record, Record::Experiment(_))).log();
    let read = Transcript::read(&log);
    let verdict = Gate::default().judge(&read, &RunExpectation::default(), &HostEvidence::default());
    let reason = verdict.outcome.refusal().map(|(reason, _)| reason);
    assert_eq!(reason, Some(ReasonCode::ControlUnnoticed));
    verdict
}

/// Probes before and after seven rounds, of which one met a busy host.
fn probed(runs: Vec<RunRecord>, busy: u32) -> Results {
    let quiet = |before_round| Probe::new(before_round, 0, 267_000_000, 134_000_000);
    let made =
        (0..8).map(
            |round| if round == busy { Probe::new(round, 0, 267_000_000, 251_000_000) } else { quiet(round) },
        );
    let probes = Probes { cpus: 2, made: made.collect(), ..Probes::default() };
    Results::probed(experiment(Some(RULE)), Environment::default(), probes, runs, Completion::Complete)
}

#[test]
fn a_slow_probe_sets_aside_the_rounds_beside_it_whatever_they_measured() {
    let results = probed(runs(7, &[(1, QUIET), (2, QUIET)], 2), 3);
    let set_aside: BTreeSet<u32> =
        results.runs.iter().filter(|run| run.excluded.is_some()).map(|run| run.round).collect();
    assert_eq!(set_aside, BTreeSet::from([2, 3]));
    assert_eq!((results.cases[1].stats.cycles.n, results.conclusion()), (5, Conclusion::Holds));
    let text = said(&results);
    assert!(
        text.contains(
            "native probe, 8 times: 2 host CPUs had the capacity of 1.06 to 1.99, 87.3 % slower at worst"
        ),
        "{text}"
    );
    let why = "round 3: probe-slow: the native probe after it took 87 % longer than the baseline on all 2 host CPUs";
    assert!(text.contains(why), "{text}");
}

/// The same runs, in which CPU 1 was so much slower, in per mille, just after its worker of case 2, or just before it.
fn paced(mut runs: Vec<RunRecord>, slowed: &[(u32, u32)], before: bool) -> Results {
    for run in runs.iter_mut().filter(|run| run.case == Some(2)) {
        let less = slowed.iter().find(|(round, _)| *round == run.round).map_or(0, |slowed| slowed.1);
        let script = Script::of(&Guest { nonce: 6000 + u64::from(run.run), ..Guest::of(2) }.log());
        let script = script.edit(|record| match record {
            Record::Gap(gap) if gap.cpu.0 == 1 && before => {
                gap.reads_before -= gap.reads_before * less / 1_000
            }
            Record::Gap(gap) if gap.cpu.0 == 1 => gap.reads_after -= gap.reads_after * less / 1_000,
            _ => {}
        });
        let log = script.log();
        let read = Transcript::read(&log);
        run.verdict = Gate::default().judge(&read, &RunExpectation::default(), &run.made.evidence);
    }
    Results::new(experiment(Some(RULE)), Environment::default(), runs, Completion::Complete)
}

#[test]
fn a_cpu_that_was_slow_beside_its_worker_costs_the_round() {
    let quiet = || runs(7, &[(1, QUIET), (2, QUIET)], 2);
    let results = paced(quiet(), &[(0, 300), (4, 400), (5, 190)], false);
    let pace = results.pace.expect("guests of today");
    assert_eq!((pace.checks, pace.slow, (pace.worst * 100.0).round()), (42, 2, 40.0));
    assert_eq!(results.excluded_rounds.keys().copied().collect::<Vec<_>>(), [1, 5]);
    let why = "cpu-slowed in run 1: just after worker 1 of case 2 iteration 0, CPU 1 was 30 % slower than its \
                baseline (8428 TSC readings instead of 12039, limit 20 %)";
    assert_eq!(results.excluded_rounds[&1].to_string(), why);
    assert_eq!((results.cases[0].stats.cycles.n, results.conclusion()), (5, Conclusion::Holds));
    let line = "guest CPU speed: 2 of 42 checks slow (worst 39.9 % below baseline)";
    assert!(said(&results).contains(line), "{}", said(&results));
    // A host that becomes slow and stays so is held against its quick times.
    let slowed: Vec<(u32, u32)> = (2..7).map(|round| (round, 300)).collect();
    assert_eq!(paced(quiet(), &slowed, false).excluded_rounds.len(), 5);
    let before = paced(quiet(), &[(3, 300)], true).excluded_rounds;
    assert!(before.len() == 1 && before[&4].to_string().contains(": just before worker 1 "), "{before:?}");
    // What shows function only is held to no speed.
    assert_eq!(paced(runs(7, &[(2, QUIET)], 1), &[], false).pace, None);
}

#[test]
fn what_shows_function_only_is_held_to_no_probe() {
    let results = probed(runs(7, &[(2, QUIET)], 1), 3);
    assert!(results.runs.iter().all(|run| run.excluded.is_none()));
}

fn of_another_row(reason: ReasonCode, round: u32, run: u32) -> Exclusion {
    Exclusion { reason, scope: Scope::Round { round, run: Some(run) }, detail: "of another row".to_owned() }
}

#[test]
fn a_side_of_several_has_the_rounds_that_all_of_them_have() {
    let runs = runs(7, &[(1, QUIET), (2, QUIET)], 2);
    let why = BTreeMap::from([(4, of_another_row(ReasonCode::Steal, 4, 77))]);
    let (environment, probes) = (Environment::default(), Probes::default());
    let results =
        Results::of_rounds(experiment(Some(RULE)), environment, probes, runs, Completion::Complete, why);
    let set_aside = results.runs.iter().filter(|run| run.excluded.is_some());
    assert_eq!(set_aside.map(|run| run.round).collect::<Vec<_>>(), [4, 4]);
    assert_eq!((results.cases[0].stats.cycles.n, results.conclusion()), (6, Conclusion::Holds));
    // Its own runs would show a CPU that was slow in them.
    let own = disturbed(results.runs.clone(), 1);
    let (environment, probes) = (Environment::default(), Probes::default());
    let rounds = BTreeMap::from([(0, of_another_row(ReasonCode::VcpuPreempted, 0, 1))]);
    let results =
        Results::of_rounds(experiment(Some(RULE)), environment, probes, own, Completion::Complete, rounds);
    assert_eq!(results.excluded_rounds.keys().copied().collect::<Vec<_>>(), [1]);
}

#[test]
fn says_which_steal_time_is_unknown() {
    let mut runs = runs(5, &[(1, QUIET), (2, QUIET)], 2);
    runs[3].making().evidence.host_steal_missing = Some("/proc/stat has no CPU 1".to_owned());
    let text = said(&results(runs));
    assert!(text.contains("steal time of the host's own CPUs is unknown: /proc/stat has no CPU 1"), "{text}");
}

#[test]
fn says_why_there_is_no_probe() {
    let runs = runs(5, &[(1, QUIET), (2, QUIET)], 2);
    let probes = Probes::none("the twin target/assay-twin is not there");
    let results =
        Results::probed(experiment(None), Environment::default(), probes, runs, Completion::Complete);
    assert!(said(&results).contains("no native probe: the twin target/assay-twin is not there"));
    assert_eq!(results.conclusion(), Conclusion::Measured);
}
