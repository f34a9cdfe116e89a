//! Verdicts on sessions that can be compared.

use results::{Environment, OtherVmm, Program};
use serde_json::Value;
use test_support::guest::KHZ;

use super::compare;
use super::sessions::{Played, Sessions, noisy, probed, slower, steady};

#[test]
fn finds_no_difference_between_identical_sessions() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: |round| steady(round * 8 + 1), ..probed() });
    let said = compare(&a, &b, &[]);
    said.expect_exit(0).expect_answer(&["no-difference", "NO DIFFERENCE", "kernel 0123456789abcdef"]);
    assert_eq!(said.err, "");
    assert!(!said.out.contains("differs:"), "{}", said.out);
}

#[test]
fn says_slower_or_faster_and_fails_for_slower_only() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: slower, ..probed() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["SLOWER", "1.05"]);
    compare(&b, &a, &[]).expect_exit(0).expect_answer(&["FASTER", "0.95"]);
}

#[test]
fn the_thresholds_can_be_set_and_are_in_the_answer() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: slower, ..probed() });
    compare(&a, &b, &["--margin", "10"])
        .expect_exit(0)
        .expect_answer(&["NO DIFFERENCE of 10.0 % or more", "share an error of 1 %"]);
    let said = compare(&a, &b, &["--margin", "4%", "--error", "0.5", "--json"]);
    let answer: Value = serde_json::from_str(&said.expect_exit(1).out).unwrap();
    let comparison = &answer["result"]["comparison"];
    assert_eq!((comparison["margin"].as_f64(), comparison["error"].as_f64()), (Some(0.04), Some(0.005)));
    assert_eq!(comparison["cases"][0]["figures"][0]["comparison"]["margin"].as_f64(), Some(0.04));
    let wrong = "expected a percentage from 0.1 to 50";
    compare(&a, &b, &["--margin", "0"]).expect_exit(2).expect_message(&[wrong]);
}

#[test]
fn few_or_noisy_rounds_are_inconclusive() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: noisy, ..probed() });
    compare(&a, &b, &["--cases", "1"]).expect_exit(3).expect_answer(&["INCONCLUSIVE"]);
    let few = |cycles| Played { cycles, rounds: 3, ..probed() };
    let (a, b) = (sessions.play("few-a", &few(steady)), sessions.play("few-b", &few(slower)));
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&["INCONCLUSIVE", "so few rounds"]);
}

#[test]
fn equal_best_rounds_and_unequal_others_are_inconclusive() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let late = |round| if round % 5 < 2 { steady(round * 8 + 1) * 13 / 10 } else { steady(round * 8 + 1) };
    let b = sessions.play("b", &Played { cycles: late, ..probed() });
    let said = compare(&a, &b, &["--cases", "1"]);
    said.expect_exit(3)
        .expect_answer(&["INCONCLUSIVE", "case 1: the fastest rounds are alike, the slower ones are not"]);
}

#[test]
fn four_rounds_of_one_session_are_too_few_for_a_verdict() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { rounds: 4, cases: vec![1], ..probed() });
    let b = sessions.play("b", &Played { cycles: |round| slower(round) * 2, cases: vec![1], ..probed() });
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&["fewer than 10 rounds in A or B decide nothing"]);
}

#[test]
fn lists_an_allowed_difference() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let other = Played {
        edit: |record| {
            if let abi::wire::Record::Start(start) = record {
                start.build = abi::wire::Hex64(0xbeef);
            }
        },
        ..probed()
    };
    let b = sessions.play("b", &other);
    compare(&a, &b, &[])
        .expect_exit(0)
        .expect_answer(&["differs: kernel: A 0123456789abcdef, B 000000000000beef"]);
}

/// Where the played sessions were run under QEMU, and under Firecracker.
fn under_qemu(environment: &mut Environment) {
    let (path, version) = ("qemu".to_owned(), "QEMU emulator version 7.2.22".to_owned());
    environment.qemu = Some(Program { path, version });
}

fn under_firecracker(environment: &mut Environment) {
    let (path, version) = ("firecracker".to_owned(), "Firecracker v1.17.0".to_owned());
    let (name, lacks) = ("firecracker".to_owned(), "no power-off".to_owned());
    environment.vmm = Some(OtherVmm { name, path, version, lacks });
    environment.cpu_model = Some("the host's, by firecracker".to_owned());
}

#[test]
fn two_vmms_are_not_compared_without_saying_so() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { environment: under_qemu, ..probed() });
    let b = sessions.play("b", &Played { environment: under_firecracker, ..probed() });
    compare(&a, &b, &[]).expect_exit(0).expect_answer(&[
        "differs: VMM: A qemu, B firecracker",
        "differs: VMM's version: A QEMU emulator version 7.2.22, B Firecracker v1.17.0",
        "differs: CPU model: A max, B the host's, by firecracker",
    ]);
}

#[test]
fn compares_two_builds_of_a_worker_on_request() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let edit = |record: &mut abi::wire::Record| {
        if let abi::wire::Record::Blob(blob) = record {
            blob.sha256 = abi::Digest::of(b"another build");
        }
        if let abi::wire::Record::Start(start) = record {
            start.plan = abi::Digest::of(b"a plan that names it");
        }
    };
    let b = sessions.play("b", &Played { cycles: slower, edit, ..probed() });
    compare(&a, &b, &[]).expect_exit(5).expect_answer(&["REFUSED", "program: A", "--across-blobs"]);
    // The probes are of the session's own worker: of two workers, they do not compare the host.
    compare(&a, &b, &["--across-blobs"]).expect_exit(3).expect_answer(&[
        "differs: program: A",
        "INCONCLUSIVE: too few native probes",
        "to settle it: assay ab MANIFEST --b-workers DIR",
    ]);
}

#[test]
fn excludes_rounds_that_the_host_disturbed() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { disturbed: Some(3), ..probed() });
    let b = sessions.play("b", &probed());
    compare(&a, &b, &[]).expect_exit(0).expect_answer(&["a, kernel", "14 rounds (1 more excluded)"]);
}

#[test]
fn excludes_a_round_in_which_the_host_disturbed_another_row() {
    let sessions = Sessions::new();
    let row = |disturbed, later_ms| Played { disturbed, later_ms, asked: Some(14), ..probed() };
    let folder = sessions.play_rows("ab", &[("a", row(Some(3), 0)), ("b", row(None, 0))]);
    compare(&folder.join("a"), &folder.join("b"), &["--paired"])
        .expect_exit(0)
        .expect_answer(&["14 rounds of A, 14 of B", "14 rounds (1 more excluded)"]);
}

#[test]
fn pairs_rounds_that_ran_side_by_side_and_no_others() {
    let sessions = Sessions::new();
    // A runs in the first half of every second, B in the second half.
    let a = sessions.play("a", &Played { cases: vec![1], ..probed() });
    let beside = Played { cases: vec![1], later_ms: 500, cycles: slower, ..probed() };
    let b = sessions.play("b", &beside);
    compare(&a, &b, &["--paired"]).expect_exit(1).expect_answer(&["paired by round", "SLOWER"]);
    let later = sessions.play("c", &Played { later_ms: 100_000, ..beside });
    compare(&a, &later, &["--paired"]).expect_exit(5).expect_answer(&["REFUSED", "rounds side by side"]);
    compare(&a, &later, &[]).expect_exit(1);
}

#[test]
fn sessions_with_different_native_probes_are_inconclusive() {
    let sessions = Sessions::new();
    let with = |probe_ns| Played { probe_ns: Some(probe_ns), ..probed() };
    let a = sessions.play("a", &with(270_000_000));
    let without = Played { cycles: slower, probe_ns: None, ..probed() };
    let without = sessions.play("without", &without);
    compare(&a, &without, &[]).expect_exit(3).expect_answer(&[
        "session offset: not known",
        "INCONCLUSIVE: too few native probes",
        "to settle it: assay ab MANIFEST",
    ]);
    let alike = sessions.play("alike", &Played { cycles: slower, ..with(273_000_000) });
    compare(&a, &alike, &[]).expect_exit(1);
    let b = sessions.play("b", &Played { cycles: slower, ..with(283_500_000) });
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&[
        "differs: native probes: A 270.0 ms on one CPU, 135.0 on all 2, B 283.5 ms",
        ": not shown to be alike",
        "INCONCLUSIVE: the native probes do not prove that the host was alike",
    ]);
    compare(&a, &b, &["--paired"]).expect_exit(1);
}

#[test]
fn functional_only_cases_have_no_verdict() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { host_cpus: 1, ..probed() });
    let b = sessions.play("b", &Played { host_cpus: 1, cycles: slower, ..probed() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["2*", "functional only"]);
    compare(&a, &b, &["--cases", "2"]).expect_exit(6).expect_answer(&["NO VERDICT"]);
}

#[test]
fn compares_two_clocks_in_nanoseconds() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    // The same number of cycles on a clock that is 5 % slower takes 5 % longer.
    let b = sessions.play("b", &Played { khz: KHZ * 100 / 105, ..probed() });
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&[
        "differs: TSC frequency",
        "1.05",
        "to settle it: compare several sessions of each host",
        "each by its session's own TSC frequency",
    ]);
}

#[test]
fn prints_the_same_as_json() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cycles: slower, ..probed() });
    let said = compare(&a, &b, &["--json"]);
    let envelope: Value = serde_json::from_str(&said.expect_exit(1).out).unwrap();
    let json = &envelope["result"]["comparison"];
    assert_eq!((&envelope["exit_code"], &json["verdict"]), (&1.into(), &"slower".into()));
    assert_eq!((&json["design"], &json["unit"]), (&"unpaired".into(), &"cycles".into()));
    let case = &json["cases"][1];
    assert_eq!((&case["case"], &case["figures"][0]["comparison"]["rounds_b"]), (&2.into(), &15.into()));
    let refused = compare(&a, &sessions.play("c", &Played { cases: vec![1], ..probed() }), &["--json"]);
    let envelope: Value = serde_json::from_str(&refused.expect_exit(5).out).unwrap();
    let json = &envelope["result"]["comparison"];
    assert_eq!((&json["verdict"], &json["refused"][0]["what"]), (&Value::Null, &"cases".into()));
}

/// Boots of 20 iterations of case 1.
fn boots(cycles: fn(u32) -> u64, first: (u16, u64)) -> Played {
    let cycles_of = Played { cycles, first, iterations: 20, cases: vec![1], ..probed() };
    Played { later_ms: if first.0 > 0 { 500 } else { 0 }, ..cycles_of }
}

/// A twentieth of [`steady`], in another order.
fn short(round: u32) -> u64 {
    steady(round * 8 + 1) / 20
}

fn short_and_twice_as_long(round: u32) -> u64 {
    short(round) * 2
}

#[test]
fn a_regression_in_fourteen_of_twenty_iterations_is_slower() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &boots(|round| steady(round) / 20, (0, 100)));
    // Six iterations of each boot of B take as long as A's, and 14 take twice as long.
    let b = sessions.play("b", &boots(short_and_twice_as_long, (6, 50)));
    for options in [&[][..], &["--paired"]] {
        let said = compare(&a, &b, options);
        said.expect_exit(1).expect_answer(&["quartile", "median", "mean (all)", "SLOWER"]);
        let table: Vec<&str> = said.out.lines().filter(|line| line.contains("together")).collect();
        assert!(table.len() == 1 && table[0].ends_with("slower"), "{}", said.out);
    }
}

#[test]
fn a_regression_in_nine_of_twenty_iterations_is_not_called_no_difference() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &boots(|round| steady(round) / 20, (0, 100)));
    let b = sessions.play("b", &boots(short_and_twice_as_long, (11, 50)));
    for options in [&[][..], &["--paired"]] {
        compare(&a, &b, options)
            .expect_exit(3)
            .expect_answer(&["INCONCLUSIVE: the figures do not agree", "1.4"]);
    }
    let same = sessions.play("same", &boots(short, (1, 100)));
    compare(&a, &same, &["--paired"]).expect_exit(0).expect_answer(&["NO DIFFERENCE of 1.5 % or more"]);
}

#[test]
fn rounds_that_depend_on_those_before_them_decide_nothing_between_two_sessions() {
    let sessions = Sessions::new();
    let drifting = |round: u32| steady(0) + u64::from(round) * 6_000_000;
    let a = sessions.play("a", &Played { cycles: drifting, cases: vec![1], ..probed() });
    let later = |round: u32| steady(0) + u64::from(15 + round) * 6_000_000;
    let b = sessions.play("b", &Played { cycles: later, cases: vec![1], ..probed() });
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&[
        "autocorrelation of the rounds: A 0.9",
        "INCONCLUSIVE: the rounds of a session depend on those before them",
        "to settle it: assay ab MANIFEST",
    ]);
}

#[test]
fn a_person_sees_at_most_80_columns() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &boots(|round| steady(round) / 20, (0, 100)));
    let b = sessions.play("b", &boots(short_and_twice_as_long, (6, 50)));
    for options in [&[][..], &["--paired"]] {
        let said = compare(&a, &b, options);
        // The lines of the sessions have the folders' paths, which are as long as they are.
        let lines = said.out.lines().filter(|line| !line.starts_with("A: ") && !line.starts_with("B: "));
        let long: Vec<&str> = lines.filter(|line| line.chars().count() > 80).collect();
        assert_eq!(long, [""; 0], "{}", said.out);
    }
}
