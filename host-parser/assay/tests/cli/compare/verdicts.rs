//! Verdicts on sessions that can be compared.

use std::path::Path;

use serde_json::{Value, json};

use super::compare;
use super::sessions::{Played, Sessions, edit_results, noisy, slower, steady};

#[test]
fn finds_no_difference_between_identical_sessions() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: |round| steady(round * 2 + 1), ..Played::default() });
    let said = compare(&a, &b, &[]);
    said.expect_exit(0).expect_answer(&["no-difference", "NO DIFFERENCE", "kernel 0123456789abcdef"]);
    assert_eq!(said.err, "");
    assert!(!said.out.contains("differs:"), "{}", said.out);
}

#[test]
fn says_slower_or_faster_and_fails_for_slower_only() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: slower, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["SLOWER", "1.05"]);
    compare(&b, &a, &[]).expect_exit(0).expect_answer(&["FASTER", "0.95"]);
}

#[test]
fn few_or_noisy_rounds_are_inconclusive() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: noisy, ..Played::default() });
    compare(&a, &b, &["--cases", "1"]).expect_exit(3).expect_answer(&["INCONCLUSIVE"]);
    let few = |cycles| Played { cycles, rounds: 3, ..Played::default() };
    let (a, b) = (sessions.play("few-a", &few(steady)), sessions.play("few-b", &few(slower)));
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&["INCONCLUSIVE", "so few rounds"]);
}

#[test]
fn equal_best_rounds_and_unequal_others_are_inconclusive() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let late = |round| if round % 5 < 2 { steady(round * 2 + 1) * 13 / 10 } else { steady(round * 2 + 1) };
    let b = sessions.play("b", &Played { cycles: late, ..Played::default() });
    let said = compare(&a, &b, &["--cases", "1"]);
    said.expect_exit(3)
        .expect_answer(&["INCONCLUSIVE", "case 1: the fastest rounds are alike, the slower ones are not"]);
}

#[test]
fn four_rounds_of_one_session_are_too_few_for_a_verdict() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { rounds: 4, cases: vec![1], ..Played::default() });
    let b = sessions
        .play("b", &Played { cycles: |round| slower(round) * 2, cases: vec![1], ..Played::default() });
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&["fewer than 5 rounds in A or B decide nothing"]);
}

#[test]
fn lists_an_allowed_difference() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let other = Played {
        edit: |record| {
            if let abi::wire::Record::Start(start) = record {
                start.build = abi::wire::Hex64(0xbeef);
            }
        },
        ..Played::default()
    };
    let b = sessions.play("b", &other);
    compare(&a, &b, &[])
        .expect_exit(0)
        .expect_answer(&["differs: kernel: A 0123456789abcdef, B 000000000000beef"]);
}

#[test]
fn compares_two_builds_of_a_worker_on_request() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let edit = |record: &mut abi::wire::Record| {
        if let abi::wire::Record::Blob(blob) = record {
            blob.sha256 = abi::Digest::of(b"another build");
        }
        if let abi::wire::Record::Start(start) = record {
            start.plan = abi::Digest::of(b"a plan that names it");
        }
    };
    let b = sessions.play("b", &Played { cycles: slower, edit, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(5).expect_answer(&["REFUSED", "program: A", "--across-blobs"]);
    compare(&a, &b, &["--across-blobs"]).expect_exit(1).expect_answer(&["SLOWER", "differs: program: A"]);
}

#[test]
fn takes_times_from_the_logs_and_not_from_the_results() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: slower, ..Played::default() });
    edit_results(&b, |results| {
        for run in results["runs"].as_array_mut().unwrap() {
            for sample in run["measurement"]["samples"].as_array_mut().unwrap() {
                sample["cycles"] = 1.into();
                sample["makespan"] = 1.into();
            }
        }
    });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["SLOWER", "1.05"]);
}

#[test]
fn excludes_rounds_that_the_host_disturbed() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { disturbed: Some(3), ..Played::default() });
    let b = sessions.play("b", &Played::default());
    compare(&a, &b, &[]).expect_exit(0).expect_answer(&["a, kernel", "14 rounds (1 more excluded)"]);
    // If another system was disturbed in a round, only the results show it.
    edit_results(&b, |results| {
        results["runs"][9]["set_aside"] = "the host, elsewhere".into();
        results["experiment"]["rounds"] = 14.into();
    });
    compare(&a, &b, &["--paired"]).expect_exit(0).expect_answer(&["   13   13  "]);
}

#[test]
fn pairs_rounds_that_ran_side_by_side_and_no_others() {
    let sessions = Sessions::new();
    // A runs in the first half of every second, B in the second half.
    let a = sessions.play("a", &Played { cases: vec![1], ..Played::default() });
    let beside = Played { cases: vec![1], later_ms: 500, cycles: slower, ..Played::default() };
    let b = sessions.play("b", &beside);
    compare(&a, &b, &["--paired"]).expect_exit(1).expect_answer(&["paired by round", "SLOWER"]);
    let later = sessions.play("c", &Played { later_ms: 100_000, ..beside });
    compare(&a, &later, &["--paired"]).expect_exit(5).expect_answer(&["REFUSED", "rounds side by side"]);
    compare(&a, &later, &[]).expect_exit(1);
}

#[test]
fn sessions_with_different_native_probes_are_inconclusive() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: slower, ..Played::default() });
    set_probes(&a, 270_000_000);
    compare(&a, &b, &[]).expect_exit(1);
    set_probes(&b, 273_000_000);
    compare(&a, &b, &[]).expect_exit(1);
    set_probes(&b, 283_500_000);
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&[
        "differs: native probes: A 270.0 ms on one CPU, 135.0 on all 2, B 283.5 ms",
        "INCONCLUSIVE: the host itself changed",
    ]);
    compare(&a, &b, &["--paired"]).expect_exit(1);
}

/// Adds native probes to a session: `ns` nanoseconds on one CPU, half of that on two.
fn set_probes(folder: &Path, ns: u64) {
    let mut made = Vec::new();
    for round in 0..16 {
        made.push(json!({
            "before_round": round, "started_unix_ms": 0, "one_ns": ns, "all_ns": ns / 2, "capacity": 2.0
        }));
    }
    edit_results(folder, |results| {
        results["probes"] = json!({ "cpus": 2, "missing": null, "made": made });
    });
}

#[test]
fn functional_only_cases_have_no_verdict() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { host_cpus: 1, ..Played::default() });
    let b = sessions.play("b", &Played { host_cpus: 1, cycles: slower, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["2*", "functional only"]);
    compare(&a, &b, &["--cases", "2"]).expect_exit(6).expect_answer(&["NO VERDICT"]);
}

#[test]
fn compares_two_clocks_in_nanoseconds() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    // The same number of cycles on a clock that is 4 % slower takes 4 % longer.
    let edit = |record: &mut abi::wire::Record| match record {
        abi::wire::Record::Tsc(tsc) => tsc.khz = tsc.khz * 100 / 104,
        abi::wire::Record::TscReading(reading) => reading.khz = reading.khz * 100 / 104,
        _ => {}
    };
    let b = sessions.play("b", &Played { edit, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&[
        "differs: TSC frequency",
        "1.04",
        "each by its session's own TSC frequency",
    ]);
}

#[test]
fn prints_the_same_as_json() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: slower, ..Played::default() });
    let said = compare(&a, &b, &["--json"]);
    let json: Value = serde_json::from_str(&said.expect_exit(1).out).unwrap();
    assert_eq!(
        (&json["schema"], &json["exit_code"], &json["verdict"]),
        (&1.into(), &1.into(), &"slower".into())
    );
    assert_eq!((&json["design"], &json["unit"]), (&"unpaired".into(), &"cycles".into()));
    let case = &json["cases"][1];
    assert_eq!((&case["case"], &case["comparison"]["rounds_b"]), (&2.into(), &15.into()));
    let refused =
        compare(&a, &sessions.play("c", &Played { cases: vec![1], ..Played::default() }), &["--json"]);
    let json: Value = serde_json::from_str(&refused.expect_exit(5).out).unwrap();
    assert_eq!((&json["verdict"], &json["refused"][0]["what"]), (&Value::Null, &"cases".into()));
}
