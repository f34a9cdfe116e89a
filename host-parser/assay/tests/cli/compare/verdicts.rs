//! What is said of sessions that can be compared.

use serde_json::Value;

use super::compare;
use super::sessions::{Played, Sessions, edit_results, noisy, slower, steady};

#[test]
fn finds_no_difference_in_a_session_played_twice() {
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
fn few_or_noisy_rounds_do_not_tell() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: noisy, ..Played::default() });
    compare(&a, &b, &["--cases", "1"]).expect_exit(3).expect_answer(&["INCONCLUSIVE"]);
    let few = |cycles| Played { cycles, rounds: 3, ..Played::default() };
    let (a, b) = (sessions.play("few-a", &few(steady)), sessions.play("few-b", &few(slower)));
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&["INCONCLUSIVE", "so few rounds"]);
}

#[test]
fn alike_in_the_quick_rounds_only_is_inconclusive_and_says_so() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let late = |round| if round % 5 < 2 { steady(round * 2 + 1) * 13 / 10 } else { steady(round * 2 + 1) };
    let b = sessions.play("b", &Played { cycles: late, ..Played::default() });
    let said = compare(&a, &b, &["--cases", "1"]);
    said.expect_exit(3)
        .expect_answer(&["INCONCLUSIVE", "case 1: the quick rounds are alike, the slower ones are not"]);
}

#[test]
fn four_rounds_of_a_side_tell_nothing_whatever_the_other_has() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { rounds: 4, cases: vec![1], ..Played::default() });
    let b = sessions
        .play("b", &Played { cycles: |round| slower(round) * 2, cases: vec![1], ..Played::default() });
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&["fewer than 5 rounds of a side tell nothing"]);
}

#[test]
fn tells_what_differs_and_may() {
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
fn two_builds_of_a_worker_are_compared_when_asked_to() {
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
fn believes_the_logs_and_no_time_in_the_results() {
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
fn rounds_that_the_host_disturbed_do_not_count() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { disturbed: Some(3), ..Played::default() });
    let b = sessions.play("b", &Played::default());
    compare(&a, &b, &[]).expect_exit(0).expect_answer(&["a, kernel", "14 rounds (1 more set aside)"]);
    // What was done to another system in a round, only the results know.
    edit_results(&b, |results| {
        results["runs"][9]["set_aside"] = "the host, elsewhere".into();
        results["experiment"]["rounds"] = 14.into();
    });
    compare(&a, &b, &["--paired"]).expect_exit(0).expect_answer(&["   13   13"]);
}

#[test]
fn pairs_rounds_that_ran_side_by_side_and_no_others() {
    let sessions = Sessions::new();
    // Every second's first half is A's, its second half B's.
    let a = sessions.play("a", &Played { cases: vec![1], ..Played::default() });
    let beside = Played { cases: vec![1], later_ms: 500, cycles: slower, ..Played::default() };
    let b = sessions.play("b", &beside);
    compare(&a, &b, &["--paired"]).expect_exit(1).expect_answer(&["paired by round", "SLOWER"]);
    let later = sessions.play("c", &Played { later_ms: 100_000, ..beside });
    compare(&a, &later, &["--paired"]).expect_exit(5).expect_answer(&["REFUSED", "rounds side by side"]);
    compare(&a, &later, &[]).expect_exit(1);
}

#[test]
fn two_sessions_in_which_the_host_was_not_alike_do_not_tell() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cycles: slower, ..Played::default() });
    let probed = |folder: &std::path::Path, ns: u64| {
        let probe = |round: u64| serde_json::json!({ "before_round": round, "started_unix_ms": 0, "one_ns": ns, "all_ns": ns / 2, "capacity": 2.0 });
        let made: Vec<Value> = (0..16).map(probe).collect();
        edit_results(folder, |results| {
            results["probes"] = serde_json::json!({ "cpus": 2, "missing": null, "made": made });
        });
    };
    probed(&a, 270_000_000);
    compare(&a, &b, &[]).expect_exit(1);
    probed(&b, 273_000_000);
    compare(&a, &b, &[]).expect_exit(1);
    probed(&b, 283_500_000);
    compare(&a, &b, &[]).expect_exit(3).expect_answer(&[
        "differs: native probes: A 270.0 ms on one CPU, 135.0 on all 2, B 283.5 ms",
        "INCONCLUSIVE: the host itself was not alike",
    ]);
    compare(&a, &b, &["--paired"]).expect_exit(1);
}

#[test]
fn cases_that_show_function_only_have_no_verdict() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { host_cpus: 1, ..Played::default() });
    let b = sessions.play("b", &Played { host_cpus: 1, cycles: slower, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&["2*", "functional only"]);
    compare(&a, &b, &["--cases", "2"]).expect_exit(6).expect_answer(&["NO VERDICT"]);
}

#[test]
fn two_clocks_are_compared_in_nanoseconds() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    // As many cycles of a clock that runs 4 % slower take 4 % longer.
    let edit = |record: &mut abi::wire::Record| match record {
        abi::wire::Record::Tsc(tsc) => tsc.khz = tsc.khz * 100 / 104,
        abi::wire::Record::TscReading(reading) => reading.khz = reading.khz * 100 / 104,
        _ => {}
    };
    let b = sessions.play("b", &Played { edit, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(1).expect_answer(&[
        "differs: TSC frequency",
        "1.04",
        "the clocks are two",
    ]);
}

#[test]
fn prints_the_same_as_data() {
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
