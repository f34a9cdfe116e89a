//! Compares the ledger with a plain recomputation over all runs and probes, after each step of random sessions.

use std::collections::{BTreeMap, BTreeSet};

use abi::random::SplitMix64;
use abi::wire::Record;
use evidence::baseline::Baseline;
use evidence::gate::{
    Gate, HostEvidence, Measurement, ReasonCode, RunExpectation, VcpuDelay, Verdict, limits,
};
use evidence::ledger::{FailedProbe, JudgedRun, Ledger, Place, Probe, Probes, enough_left};
use evidence::transcript::Transcript;
use test_support::guest::Guest;
use test_support::script::Script;

const ROUNDS: u32 = 7;

struct Run {
    round: u32,
    verdict: Verdict<Measurement>,
}

/// What the host does to a run.
#[derive(Clone, Copy)]
enum Host {
    LeavesItAlone,
    /// Something slows a CPU to `per_mille` thousandths of its pace, just after `iterations` of its iterations.
    SlowsACpu {
        iterations: u16,
        per_mille: u32,
    },
    TakesACpuAway,
}

fn host(random: &mut SplitMix64) -> Host {
    match random.below(8) {
        0 => Host::TakesACpuAway,
        1..=4 => {
            let per_mille = u32::try_from(500 + random.below(600)).expect("small");
            Host::SlowsACpu { iterations: u16::try_from(1 + random.below(6)).expect("small"), per_mille }
        }
        _ => Host::LeavesItAlone,
    }
}

/// A run of a guest with 2 CPUs and `iterations` iterations of `case`.
fn run(number: u32, round: u32, case: u16, iterations: u16, host: Host) -> Run {
    let (nonce, work_cycles) = (100 + u64::from(number), 60_000_000);
    let guest = Guest { nonce, iterations, work_cycles, cases: vec![case], ..Guest::of(2) };
    let (slowed, to) = match host {
        Host::SlowsACpu { iterations, per_mille } => (iterations, per_mille),
        _ => (0, 1_000),
    };
    let script = Script::of(&guest.log()).edit(|record| match record {
        Record::Gap(gap) if gap.cpu.0 + 1 == case && gap.iter < slowed => {
            gap.reads_after = gap.reads_after * to / 1_000
        }
        _ => {}
    });
    let taken = VcpuDelay {
        case,
        iteration: 0,
        vcpu: 0,
        wall_ns: 30_000_000,
        run_ns: 10_000_000,
        delay_ns: 20_000_000,
        involuntary_switches: 9,
    };
    let delays = if matches!(host, Host::TakesACpuAway) { vec![taken] } else { Vec::new() };
    let evidence = HostEvidence { delays, ..HostEvidence::default() };
    let log = script.log();
    let verdict = Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
    Run { round, verdict }
}

fn judged(number: u32, run: &Run) -> JudgedRun<'_> {
    let place = Place::Alone(number);
    JudgedRun {
        run: number,
        round: run.round,
        place,
        held_to_speed: true,
        verdict: &run.verdict,
        carried: None,
    }
}

/// The excluded rounds with their reasons, computed from all runs and probes.
fn recomputed(runs: &[Run], probes: &Probes) -> BTreeMap<u32, ReasonCode> {
    let mut rounds = BTreeMap::new();
    for round in 0..=ROUNDS {
        if probe_is_bad(probes, round) {
            rounds.insert(round, ReasonCode::ProbeSlow);
        }
    }
    rounds.extend(spoilt(runs).into_iter().map(|round| (round, ReasonCode::CpuSlowed)));
    for run in runs {
        if let Some((reason, _)) = run.verdict.outcome.refusal() {
            assert!(reason.is_the_hosts(), "{reason}");
            rounds.insert(run.round, reason);
        }
    }
    rounds
}

/// Whether the last probe before the round, or the first after it, failed or was slow.
fn probe_is_bad(probes: &Probes, round: u32) -> bool {
    let of: [fn(&Probe) -> u64; 2] = [|probe| probe.one_ns, |probe| probe.all_ns];
    let slow = |probe: &&Probe| {
        of.iter().any(|of| {
            let took = of(probe) as f64;
            let baseline = Baseline::of(probes.made.iter().map(|probe| of(probe) as f64)).time();
            let late = took - baseline.expect("a probe");
            late * 1e3 > baseline.expect("a probe") * limits::PROBE_PER_MILLE as f64
                && late > limits::PROBE_MICROS as f64 * 1e3
        })
    };
    let before = probes.made.iter().rev().find(|probe| probe.before_round == round);
    let after = probes.made.iter().find(|probe| probe.before_round == round + 1);
    let failed =
        probes.failed.iter().any(|probe| probe.before_round == round || probe.before_round == round + 1);
    failed || before.is_some_and(|probe| slow(&probe)) || after.is_some_and(|probe| slow(&probe))
}

/// The rounds with a run that has too few iterations left.
fn spoilt(runs: &[Run]) -> BTreeSet<u32> {
    let measured = || runs.iter().filter_map(|run| Some((run.round, run.verdict.outcome.measurement()?)));
    // By CPU, by whether the check was after the worker, and by case.
    let mut times: BTreeMap<(u16, bool, u16), Vec<f64>> = BTreeMap::new();
    for (_, measurement) in measured() {
        for sample in measurement.samples() {
            for worker in &sample.workers {
                for (after, reads) in [(false, worker.reads_before), (true, worker.reads_after)] {
                    times.entry((worker.cpu, after, sample.case)).or_default().push(1.0 / f64::from(reads));
                }
            }
        }
    }
    let baseline = |cpu, after, case| {
        let of = |case| Baseline::of(times[&(cpu, after, case)].iter().copied()).time().expect("a time");
        let larger = times.keys().filter(|key| (key.0, key.1) == (cpu, after) && key.2 > case);
        let settled = larger.filter(|key| times[key].len() >= 3);
        1.0 / settled.map(|key| of(key.2)).fold(of(case), f64::min)
    };
    let mut rounds = BTreeSet::new();
    for (round, measurement) in measured() {
        let limit =
            if measurement.is_alone() { limits::PACE_ALONE_PER_MILLE } else { limits::PACE_PER_MILLE };
        let slow = |case, cpu, after, reads| {
            1e3 * (1.0 - f64::from(reads) / baseline(cpu, after, case)) > limit as f64
        };
        let (mut all, mut gone) = (BTreeSet::new(), BTreeSet::new());
        for sample in measurement.samples() {
            all.insert(sample.iteration);
            let is_slow = sample.workers.iter().any(|worker| {
                slow(sample.case, worker.cpu, false, worker.reads_before)
                    || slow(sample.case, worker.cpu, true, worker.reads_after)
            });
            if is_slow || sample.excluded.is_some() {
                gone.insert(sample.iteration);
            }
        }
        if !gone.is_empty() && !enough_left(all.len() - gone.len(), all.len()) {
            rounds.insert(round);
        }
    }
    rounds
}

fn reasons(ledger: &Ledger) -> BTreeMap<u32, ReasonCode> {
    ledger.excluded_rounds().into_iter().map(|(round, exclusion)| (round, exclusion.reason)).collect()
}

#[test]
fn the_ledger_equals_a_recomputation_at_each_step_and_only_grows() {
    let mut seen = BTreeSet::new();
    for seed in 0..12 {
        let mut random = SplitMix64::new(seed);
        let iterations = if seed % 3 == 0 { 1 } else { 6 };
        let mut ledger = Ledger::new(Probes { cpus: 2, ..Probes::default() });
        let mut runs: Vec<Run> = Vec::new();
        let mut before = BTreeMap::new();
        for round in 0..ROUNDS {
            for nth in 0..=random.below(2) {
                if nth > 0 && random.below(4) == 0 {
                    let why = "no time for it".to_owned();
                    ledger.add_failed_probe(FailedProbe { before_round: round, why });
                } else {
                    let ns = 100_000_000 * (10 + random.below(4) as u64) / 10;
                    ledger.add_probe(Probe::new(round, 0, ns, ns / 2));
                }
            }
            for case in [1, 2] {
                let now = reasons(&ledger);
                assert_eq!(now, recomputed(&runs, ledger.probes()), "seed {seed} round {round}");
                assert!(
                    before.keys().all(|round| now.contains_key(round)),
                    "seed {seed}: {before:?}, {now:?}"
                );
                before = now;
                let number = u32::try_from(runs.len()).expect("few");
                let run = run(number, round, case, iterations, host(&mut random));
                ledger.add_run(judged(number, &run));
                runs.push(run);
            }
        }
        let whole =
            Ledger::of((0..).zip(&runs).map(|(number, run)| judged(number, run)), ledger.probes().clone());
        let words = |ledger: &Ledger| -> Vec<String> {
            ledger.excluded_rounds().values().map(ToString::to_string).collect()
        };
        assert_eq!((words(&whole), whole.pace()), (words(&ledger), ledger.pace()), "seed {seed}");
        assert_eq!(reasons(&ledger), recomputed(&runs, ledger.probes()), "seed {seed}");
        seen.extend(reasons(&ledger).into_values());
    }
    let expected = [ReasonCode::VcpuPreempted, ReasonCode::CpuSlowed, ReasonCode::ProbeSlow];
    assert_eq!(seen, BTreeSet::from(expected), "the sessions show every reason");
}

#[test]
fn a_probe_excludes_no_round_of_functional_only_runs() {
    let slow =
        |round: u32| Probe::new(round, 0, if round == 2 { 200_000_000 } else { 100_000_000 }, 50_000_000);
    let probes = Probes { cpus: 2, made: (0..4).map(slow).collect(), ..Probes::default() };
    let quiet = run(0, 1, 2, 1, Host::LeavesItAlone);
    for held_to_speed in [true, false] {
        let run = JudgedRun { held_to_speed, ..judged(0, &quiet) };
        let ledger = Ledger::of([run], probes.clone());
        assert_eq!(ledger.is_excluded(1), held_to_speed);
    }
}

/// A run of one iteration on CPU 0 in `case`, whose checks have `per_mille` thousandths of the usual readings.
fn paced(number: u32, case: u16, per_mille: u32) -> Run {
    let guest = Guest { nonce: 100 + u64::from(number), cases: vec![case], ..Guest::of(2) };
    let script = Script::of(&guest.log()).edit(|record| {
        if let Record::Gap(gap) = record {
            gap.reads_before = gap.reads_before * per_mille / 1_000;
            gap.reads_after = gap.reads_after * per_mille / 1_000;
        }
    });
    let evidence = HostEvidence::default();
    let log = script.log();
    let verdict = Gate::default().judge(&Transcript::read(&log), &RunExpectation::default(), &evidence);
    Run { round: number, verdict }
}

/// The excluded rounds of runs of these cases at these paces, one round each.
fn excluded(runs: &[(u16, u32)]) -> Vec<u32> {
    let runs: Vec<Run> = (0..).zip(runs).map(|(number, &(case, pace))| paced(number, case, pace)).collect();
    let judged = (0..).zip(&runs).map(|(number, run)| judged(number, run));
    reasons(&Ledger::of(judged, Probes::default())).into_keys().collect()
}

#[test]
fn a_cpu_that_is_always_slower_alone_than_beside_another_worker_had_a_neighbour() {
    let runs = [(1, 600), (2, 1_000), (1, 600), (2, 1_000), (1, 600), (2, 1_000), (1, 600)];
    assert_eq!(excluded(&runs), [0, 2, 4, 6]);
}

#[test]
fn a_cpu_that_is_always_slower_beside_another_worker_is_the_platforms_and_counts() {
    let runs = [(1, 1_000), (2, 600), (1, 1_000), (2, 600), (1, 1_000), (2, 600), (1, 1_000)];
    assert_eq!(excluded(&runs), [0_u32; 0]);
}

#[test]
fn a_cpu_that_is_slower_beside_another_worker_at_times_is_excluded_then() {
    let runs = [(1, 1_000), (2, 1_000), (2, 600), (1, 1_000), (2, 1_000), (2, 600), (2, 1_000)];
    assert_eq!(excluded(&runs), [2, 5]);
}

/// Two runs of one place in a round: the second counts, and if later checks show that it was slow too, the round is lost.
#[test]
fn a_baseline_that_improves_later_excludes_the_round_of_a_run_that_was_made_again() {
    let place = |case| Place::Of { set: 0, system: 0, case: Some(case) };
    let slowed =
        |number, round, per_mille| run(number, round, 2, 1, Host::SlowsACpu { iterations: 1, per_mille });
    let runs = [
        run(0, 0, 2, 1, Host::TakesACpuAway),
        slowed(1, 0, 700),
        slowed(2, 1, 700),
        slowed(3, 2, 1_000),
        slowed(4, 3, 1_000),
        slowed(5, 4, 1_000),
    ];
    let mut ledger = Ledger::new(Probes::none("")).repeating(3);
    let mut seen = Vec::new();
    for (number, run) in (0..).zip(&runs) {
        ledger.add_run(JudgedRun { place: place(2), ..judged(number, run) });
        seen.push((ledger.to_repeat(run.round), ledger.is_excluded(0)));
    }
    assert_eq!(seen[..3], [(Some(0), false), (None, false), (None, false)]);
    assert_eq!((seen[5], ledger.is_disturbed(1)), ((None, true), true));
    assert_eq!(ledger.excluded_rounds().into_keys().collect::<Vec<_>>(), [0, 1]);
    assert_eq!((ledger.attempt(0, 1), ledger.count_lost_runs(1)), (1, 3));
}

/// Linux takes its interrupts while its pace is checked. That is a gap, and no slowness.
#[test]
fn a_gap_is_not_slowness() {
    let ledger_of = |before: u64, reads: u32| {
        let mut ledger = Ledger::new(Probes::none(""));
        for number in 0..4 {
            let guest = Guest { nonce: 1 + u64::from(number), cases: vec![2], ..Guest::of(2) };
            let script = Script::of(&guest.log()).edit(|record| match record {
                Record::Gap(gap) if number == 3 => (gap.before, gap.reads_before) = (before, reads),
                _ => {}
            });
            let log = script.log();
            let verdict = Gate::default().judge(
                &Transcript::read(&log),
                &RunExpectation::default(),
                &HostEvidence::default(),
            );
            ledger.add_run(judged(number, &Run { round: number, verdict }));
        }
        ledger.count_excluded()
    };
    // A window has 1,050,000 cycles. Half of it is a gap, and half of the readings are missing.
    let usual = 12_000;
    assert_eq!(ledger_of(525_000, usual / 2), 0);
    assert_eq!(ledger_of(525_000, usual / 3), 1);
    assert_eq!(ledger_of(1_000, usual / 2), 1);
}
