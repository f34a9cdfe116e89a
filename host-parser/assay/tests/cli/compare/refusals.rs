//! Sessions that must not be compared, and folders that are not sessions.

use std::fs;

use abi::Digest;
use abi::wire::Record;
use results::{Completion, Environment};

use super::compare;
use super::sessions::{Played, Sessions, by_uefi, edit_results};
use crate::stage::good_log;

/// Checks that B is refused, for `what` alone, beside a default A.
#[track_caller]
fn refused(b: &Played, what: &str) {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", b));
    let said = compare(&a, &b, &["--across-blobs"]);
    said.expect_exit(5).expect_answer(&["REFUSED", &format!("\n  {what}: A ")]);
    assert_eq!(said.out.lines().skip_while(|line| !line.starts_with("REFUSED")).count(), 2, "{}", said.out);
}

#[test]
fn refuses_sessions_with_different_conditions() {
    refused(&Played { edit: by_uefi, ..Played::default() }, "boot path");
    let environment: fn(&mut Environment) = |environment| {
        environment.accelerator.as_mut().unwrap().name = "kvm".to_owned();
    };
    refused(&Played { environment, ..Played::default() }, "accelerator");
    let environment: fn(&mut Environment) = |environment| environment.cpu_model = Some("qemu64".to_owned());
    refused(&Played { environment, ..Played::default() }, "QEMU's CPU model");
    let environment: fn(&mut Environment) = |environment| environment.cpu_model = None;
    refused(&Played { environment, ..Played::default() }, "QEMU's CPU model");
    refused(&Played { cases: vec![1], ..Played::default() }, "cases");
}

#[test]
fn refuses_another_plan_for_the_same_worker() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let edit = |record: &mut Record| {
        if let Record::Challenge(challenge) = record {
            challenge.work = Digest::of(b"another deadline, say");
        }
    };
    let b = sessions.play("b", &Played { edit, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(5).expect_answer(&[
        "REFUSED",
        "plan of case 1: A ",
        "plan of case 2: A ",
    ]);
}

#[test]
fn compares_only_the_requested_cases() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { cases: vec![1], ..Played::default() });
    compare(&a, &b, &["--cases", "1"]).expect_exit(0);
    compare(&a, &b, &["--cases", "2"]).expect_exit(2).expect_message(&["--cases: ", "has no case 2"]);
}

#[test]
fn refuses_a_session_without_a_result() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let completion = Completion::Partial { why: "3 of 30 runs were made: interrupted".to_owned() };
    let b = sessions.play("b", &Played { completion, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(5).expect_message(&["incomplete: 3 of 30 runs"]);
    edit_results(&b, |results| {
        results["complete"] = true.into();
        results["experiment"]["set_aside_limit"] = 0.into();
        results["runs"][0]["set_aside"] = "the host".into();
    });
    compare(&a, &b, &[]).expect_exit(5).expect_message(&["host-contended: 1 rounds"]);
}

#[test]
fn judges_every_log_again() {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", &Played::default()));
    let log = b.join("runs/run-004-round-3-case-1.serial.log");
    let whole = fs::read(&log).unwrap();
    fs::write(&log, &whole[..whole.len() / 2]).unwrap();
    compare(&a, &b, &[]).expect_exit(5).expect_message(&["missing-end: run 4: "]);
    // The log of another run in place of its own.
    fs::copy(b.join("runs/run-002-round-2-case-1.serial.log"), &log).unwrap();
    compare(&a, &b, &[]).expect_exit(5).expect_message(&["nonce-reused: run 4: "]);
    fs::copy(b.join("runs/run-005-round-3-case-2.serial.log"), &log).unwrap();
    fs::remove_file(b.join("runs/run-005-round-3-case-2.serial.log")).unwrap();
    compare(&a, &b, &[]).expect_exit(7).expect_message(&["run-005-round-3-case-2.serial.log: No such file"]);
}

#[test]
fn an_excluded_round_does_not_hide_a_failure_of_the_guest() {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", &Played::default()));
    edit_results(&b, |results| {
        results["runs"][4]["set_aside"] = "the host".into();
        results["runs"][5]["set_aside"] = "the host".into();
        results["experiment"]["rounds"] = 14.into();
    });
    compare(&a, &b, &[]).expect_exit(0);
    let log = b.join("runs/run-004-round-3-case-1.serial.log");
    let whole = fs::read(&log).unwrap();
    fs::write(&log, &whole[..whole.len() / 2]).unwrap();
    compare(&a, &b, &[]).expect_exit(5).expect_message(&["missing-end: run 4: "]);
}

#[test]
fn refuses_fewer_rounds_than_requested() {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", &Played::default()));
    edit_results(&b, |results| results["experiment"]["rounds"] = 16.into());
    compare(&a, &b, &[])
        .expect_exit(5)
        .expect_message(&["incomplete: 15 rounds of case 1 count, 16 were requested"]);
}

#[test]
fn notices_a_log_that_no_run_lists() {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", &Played::default()));
    edit_results(&b, |results| {
        results["runs"].as_array_mut().unwrap().remove(7);
    });
    compare(&a, &b, &[])
        .expect_exit(7)
        .expect_message(&["results.json: runs/run-007-round-4-case-2.serial.log is there and in no run"]);
}

#[test]
fn names_a_folder_that_is_not_a_session() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let folder = good_log().parent().unwrap().to_owned();
    compare(&a, &folder, &[])
        .expect_exit(7)
        .expect_message(&["transcripts/results.json: ", "expected the folder of a session of `assay run`"]);
    fs::write(a.join("results.json"), "{}").unwrap();
    compare(&a, &a, &[])
        .expect_exit(7)
        .expect_message(&["a/results.json: not readable as results: missing field"]);
}

#[test]
fn compares_only_the_runs_of_our_system() {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", &Played::default()));
    edit_results(&b, |results| {
        for run in results["runs"].as_array_mut().unwrap().iter_mut().filter(|run| run["case"] == 2) {
            run["system"] = "linux".into();
        }
    });
    compare(&a, &b, &[])
        .expect_exit(5)
        .expect_message(&["incomplete: 0 rounds of case 2 count, 15 were requested"]);
    edit_results(&b, |results| results["experiment"]["cases"] = vec![1].into());
    compare(&a, &b, &[]).expect_exit(5).expect_answer(&["cases: A 1 2, B 1"]);
    edit_results(&b, |results| {
        for run in results["runs"].as_array_mut().unwrap() {
            run["system"] = "native".into();
        }
    });
    compare(&a, &b, &[])
        .expect_exit(5)
        .expect_message(&["too-few-rounds: no run of the system assay counts"]);
}
