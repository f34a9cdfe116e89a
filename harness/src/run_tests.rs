//! The driver over a backend that runs nothing: which records it emits, in which order, for each course of a run.

#[path = "run_tests/fake.rs"]
mod fake;

use abi::Digest;
use abi::wire::record::SkipReason;
use abi::wire::{Hex64, Record};
use alloc::string::{String, ToString};
use alloc::vec;
use alloc::{format, vec::Vec};

use self::fake::{Fake, case, clock, plan_text, ramdisk_with};
use super::*;
use crate::user::elf::tests::worker_elf;

/// What a run came to: how it ended, and the table if it has one.
struct Ran {
    result: Result<(bool, usize, String), BlobError>,
    fake: Fake,
}

/// Runs `work` on a machine of four CPUs in two cores.
fn drive(work: &str, ramdisk: &[u8], mut fake: Fake) -> Ran {
    let text = plan_text(work);
    let plan = Plan::parse(text.as_bytes()).unwrap();
    let clock = clock();
    let site = Site {
        clock: &clock,
        cores: 2,
        usable: 4,
        online: 4,
        listed: 4,
        all_online: true,
        memory_bytes: 1 << 27,
    };
    let mut phases = Phases::from(0);
    phases.before("boot", 5);
    let ran = run(&plan, ramdisk, site, &mut phases, &mut fake);
    assert_eq!(fake.teams, 0, "every team that was assembled has run");
    let result = ran.map(|summary| {
        assert_eq!(summary.holds, summary.status() == RunStatus::Ok);
        assert_eq!(summary.holds, summary.exit() == GuestExit::Success);
        (summary.holds, summary.rows.len(), summary.to_string())
    });
    Ran { result, fake }
}

/// The records' names; of those of a case, with the case.
fn names(fake: &Fake) -> Vec<String> {
    fake.kept.0.iter().map(label).collect()
}

fn label(record: &Record) -> String {
    match record {
        Record::Split(split) => format!("split {}.{}", split.case, split.worker),
        Record::CaseReady(ready) => format!("case-ready {}.{}", ready.case, ready.iter),
        Record::CaseEnd(end) => format!("case-end {}.{}", end.case, end.iter),
        Record::CaseSkipped(skipped) => format!("case-skipped {}", skipped.case),
        Record::Phase(phase) => format!("phase {}", phase.name),
        Record::Mark(mark) => format!("mark {}", mark.moment),
        other => other.name().to_string(),
    }
}

/// The moments of an iteration.
const MOMENTS: [&str; 4] = ["mark ready", "mark warm", "mark back", "mark done"];

/// The records of one iteration of a case whose workers are all done.
fn iteration(case: u16, iter: u16) -> Vec<String> {
    let mut names = vec![format!("case-ready {case}.{iter}"), "case-begin".into()];
    for _ in 0..case {
        names.extend(["worker", "result", "region", "worker-end"].map(String::from));
    }
    names.push(format!("case-end {case}.{iter}"));
    names.extend((0..case).map(|_| "gap".into()));
    names.extend(MOMENTS.map(String::from));
    names.extend((0..case).map(|_| "conditions".into()));
    names
}

fn splits(case: u16) -> Vec<String> {
    (0..case).map(|worker| format!("split {case}.{worker}")).collect()
}

fn strings(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.into()).collect()
}

#[test]
fn listed_cases_are_announced_run_and_summed_up_in_order() {
    let work = [case(2, 2), case(1, 1)].concat();
    let Ran { result, fake } = drive(&work, &ramdisk_with("primes", &worker_elf()), Fake::default());
    let expected = [
        strings(&["experiment", "challenge", "warm-up", "blob"]),
        splits(2),
        iteration(2, 0),
        strings(&["phase boot", "phase first-worker"]),
        iteration(2, 1),
        splits(1),
        iteration(1, 0),
    ];
    assert_eq!(names(&fake), expected.concat());
    let (holds, rows, table) = result.unwrap();
    assert!(holds && rows == 3, "{table}");
    let lines: Vec<Vec<&str>> = table.lines().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(lines[1].join(" "), "x, workload primes: 4 of 4 CPUs up, TSC 1000 MHz by hpet");
    assert_eq!(lines[4], ["2", "0", "2/2", "0.500", "0", "8", "1.00x", "ok"]);
    assert_eq!(lines[6], ["1", "0", "1/1", "0.500", "0", "4", "1.00x", "ok"]);
}

#[test]
fn a_run_of_several_iterations_prints_its_progress() {
    let ramdisk = ramdisk_with("primes", &worker_elf());
    let progress = |work: &str| drive(work, &ramdisk, Fake::default()).fake.progress;
    assert_eq!(progress(&case(1, 1)), [""; 0]);
    assert_eq!(
        progress(&[case(2, 2), case(1, 1)].concat()),
        [
            "assay: case 2, iteration 1 of 2; 3 to go\n",
            "assay: case 2, iteration 2 of 2; 2 to go\n",
            "assay: case 1, iteration 1 of 1; 1 to go\n",
        ]
    );
    let often = progress(&case(1, 1_000));
    assert!(often.len() == 20 && often[19].ends_with("iteration 951 of 1000; 50 to go\n"), "{often:?}");
}

#[test]
fn the_challenge_stands_beside_the_digest_of_the_work() {
    let text = plan_text(&case(1, 1));
    let Ran { fake, .. } = drive(&case(1, 1), &ramdisk_with("primes", &worker_elf()), Fake::default());
    let Record::Challenge(challenge) = fake.kept.0[1] else { panic!("{:?}", names(&fake)) };
    assert_eq!(challenge.value, Hex64(0xc5));
    assert_eq!(challenge.work, Plan::parse(text.as_bytes()).unwrap().work_digest());
}

#[test]
fn the_real_time_clock_is_read_around_the_iterations_and_not_more_than_once_a_second() {
    let fake = Fake { seconds: Some(1_790_000_000), ..Fake::default() };
    let Ran { fake, .. } = drive(&case(1, 20), &ramdisk_with("primes", &worker_elf()), fake);
    let all = names(&fake);
    let seconds: Vec<_> = (0..all.len()).filter(|&at| all[at] == "seconds").collect();
    assert_eq!(seconds.len(), 2, "{all:?}");
    assert_eq!((seconds[0], seconds[1]), (4, all.len() - 1), "before the first iteration and after the last");
    let Record::Seconds(first) = fake.kept.0[4] else { panic!("{all:?}") };
    assert_eq!(first.count, 1_790_000_000);
}

#[test]
fn the_first_phase_ends_at_the_common_start() {
    let Ran { fake, .. } = drive(&case(1, 1), &ramdisk_with("primes", &worker_elf()), Fake::default());
    let cycles = fake.kept.0.iter().find_map(|record| match record {
        Record::Phase(phase) if phase.name.as_str() == "first-worker" => Some(phase.cycles),
        _ => None,
    });
    assert_eq!(cycles, Some(1_000_000));
}

const SWEEP: &str = "sweep iterations=2 timeout_ms=9 seed=000000000000002a p2=5 p3=6 answer=7 work=0 \
                     digest=0000000000000000\nknot at=2\nknot at=100\nknot at=150\n";

#[test]
fn a_sweep_states_its_machine_and_runs_every_case_in_every_iteration() {
    let fake = Fake { sweep_answer: 7, ..Fake::default() };
    let Ran { result, fake } = drive(SWEEP, &ramdisk_with("primes", &worker_elf()), fake);
    let all = names(&fake);
    assert_eq!(all[..5], strings(&["experiment", "challenge", "warm-up", "blob", "sweep"]));
    let Record::Sweep(sweep) = fake.kept.0[4] else { panic!("{all:?}") };
    assert_eq!((sweep.iterations, sweep.cores, sweep.cpus, sweep.seed), (2, 2, 4, Hex64(0x2a)));
    for case in [1_u16, 2, 4] {
        let announced = all.iter().filter(|name| name.starts_with(&format!("split {case}."))).count();
        assert_eq!(announced, usize::from(case), "each case is announced once");
        for iter in 0..2 {
            let ends = all.iter().filter(|&name| *name == format!("case-end {case}.{iter}")).count();
            assert_eq!(ends, 1, "{case}.{iter}");
        }
    }
    let (holds, rows, table) = result.unwrap();
    assert!(holds && rows == 6, "{table}");
    assert!(table.contains("smp4-smt") && table.contains("workers share cores"), "{table}");
}

#[test]
fn a_sweep_whose_sums_differ_does_not_hold() {
    let fake = Fake { sweep_answer: 8, ..Fake::default() };
    let Ran { result, .. } = drive(SWEEP, &ramdisk_with("primes", &worker_elf()), fake);
    let (holds, rows, _) = result.unwrap();
    assert!(!holds && rows == 6);
}

#[test]
fn a_case_that_cannot_be_assembled_is_skipped_once_and_the_others_run() {
    let work = [case(2, 3), case(1, 1)].concat();
    let fake = Fake { cannot_assemble: [(2, SkipReason::Cpus)].into(), ..Fake::default() };
    let Ran { result, fake } = drive(&work, &ramdisk_with("primes", &worker_elf()), fake);
    let expected = [
        strings(&["experiment", "challenge", "warm-up", "blob"]),
        splits(2),
        strings(&["case-skipped 2"]),
        splits(1),
        iteration(1, 0),
        strings(&["phase boot", "phase first-worker"]),
    ];
    assert_eq!(names(&fake), expected.concat());
    let skipped = fake.kept.0.iter().find_map(|record| match record {
        Record::CaseSkipped(skipped) => Some((skipped.reason, skipped.online)),
        _ => None,
    });
    assert_eq!(skipped, Some((SkipReason::Cpus, 4)));
    let (holds, rows, _) = result.unwrap();
    assert!(!holds && rows == 1, "a run without all its iterations does not hold");
}

#[test]
fn a_case_that_fails_to_run_has_been_announced_as_ready_and_is_skipped() {
    let fake = Fake { cannot_run: [(1, SkipReason::Memory)].into(), ..Fake::default() };
    let Ran { fake, .. } = drive(&case(1, 2), &ramdisk_with("primes", &worker_elf()), fake);
    assert_eq!(names(&fake)[5..], strings(&["case-ready 1.0", "case-skipped 1"]));
}

#[test]
fn a_missing_blob_ends_the_run_after_the_experiment_record() {
    let Ran { result, fake } = drive(&case(1, 1), &ramdisk_with("other", &worker_elf()), Fake::default());
    assert_eq!(result.unwrap_err(), BlobError::Missing);
    assert_eq!(names(&fake), ["experiment", "challenge", "warm-up"]);
    let mut damaged = ramdisk_with("primes", &worker_elf());
    damaged[0] ^= 1;
    let Ran { result, .. } = drive(&case(1, 1), &damaged, Fake::default());
    assert!(matches!(result, Err(BlobError::Ramdisk(_))));
}

#[test]
fn another_blob_than_the_plans_is_reported_and_not_run() {
    let mut other = worker_elf();
    *other.last_mut().unwrap() ^= 1;
    let Ran { result, fake } = drive(&case(1, 1), &ramdisk_with("primes", &other), Fake::default());
    assert_eq!(result.unwrap_err(), BlobError::OtherHash);
    assert_eq!(names(&fake), ["experiment", "challenge", "warm-up", "blob"]);
    let Record::Blob(blob) = fake.kept.0[3] else { panic!() };
    assert_eq!(blob.sha256, Digest::of(&other));
}

#[test]
fn a_run_with_an_iteration_that_timed_out_does_not_hold() {
    let fake = Fake { times_out_in: Some(1), ..Fake::default() };
    let Ran { result, fake } = drive(&case(1, 2), &ramdisk_with("primes", &worker_elf()), fake);
    let all = names(&fake);
    let second = all.iter().position(|name| name == "case-ready 1.1").unwrap();
    let ended = strings(&["case-ready 1.1", "case-begin", "worker-end", "case-end 1.1", "gap"]);
    assert_eq!(all[second..], [ended, strings(&MOMENTS), strings(&["conditions"])].concat());
    let (holds, rows, table) = result.unwrap();
    assert!(!holds && rows == 2);
    assert!(table.contains("NOT OK"), "{table}");
}

#[test]
fn a_run_without_all_cpus_does_not_hold() {
    let text = plan_text(&case(1, 1));
    let plan = Plan::parse(text.as_bytes()).unwrap();
    let clock = clock();
    let site = Site {
        clock: &clock,
        cores: 1,
        usable: 1,
        online: 1,
        listed: 2,
        all_online: false,
        memory_bytes: 1 << 27,
    };
    let ramdisk = ramdisk_with("primes", &worker_elf());
    let summary = run(&plan, &ramdisk, site, &mut Phases::from(0), &mut Fake::default()).unwrap();
    assert!(!summary.holds && summary.rows.iter().all(|row| row.verified));
}
