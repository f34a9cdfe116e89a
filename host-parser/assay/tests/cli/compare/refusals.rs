//! Sessions that must not be compared, and folders that are not sessions.

use abi::Digest;
use abi::wire::Record;
use results::{Completion, Environment, System};

use super::compare;
use super::sessions::{Played, Sessions, by_uefi, probed};
use crate::stage::good_log;

/// Checks that B is refused, for `what` alone, beside a default A.
#[track_caller]
fn refused(b: &Played, what: &str) {
    let sessions = Sessions::new();
    let (a, b) = (sessions.play("a", &Played::default()), sessions.play("b", b));
    let said = compare(&a, &b, &["--across-blobs"]);
    said.expect_exit(5).expect_answer(&["REFUSED", &format!("\n  {what}: A ")]);
    // What is refused, the one thing that differs, and what to do next.
    assert_eq!(said.out.lines().skip_while(|line| !line.starts_with("REFUSED")).count(), 3, "{}", said.out);
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
    let a = sessions.play("a", &probed());
    let b = sessions.play("b", &Played { cases: vec![1], ..probed() });
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
}

#[test]
fn refuses_a_session_that_the_host_disturbed_too_often() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { disturbed: Some(3), limit: Some(0), ..Played::default() });
    compare(&a, &b, &[]).expect_exit(75).expect_message(&["host-contended: 1 rounds", "next: "]);
}

#[test]
fn refuses_a_session_with_a_run_that_did_not_pass() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let damage: fn(u32, &mut Vec<u8>) = |run, log| {
        if run == 4 {
            log.truncate(log.len() / 2);
        }
    };
    let b = sessions.play("b", &Played { damage, ..Played::default() });
    compare(&a, &b, &[]).expect_exit(5).expect_message(&["missing-end: run 4: "]);
    // What the host did to a round excuses nothing that the guest did.
    let c = sessions.play("c", &Played { damage, disturbed: Some(2), ..Played::default() });
    compare(&a, &c, &[]).expect_exit(5).expect_message(&["missing-end: run 4: "]);
}

#[test]
fn refuses_fewer_rounds_than_requested() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let b = sessions.play("b", &Played { asked: Some(16), ..Played::default() });
    compare(&a, &b, &[]).expect_exit(12).expect_message(&["ends as complete, but has 30 of 32 runs"]);
}

#[test]
fn names_a_folder_that_is_not_a_session() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let folder = good_log().parent().unwrap().to_owned();
    compare(&a, &folder, &[]).expect_exit(7).expect_message(&["transcripts: has no session.jsonl"]);
}

#[test]
fn compares_only_the_runs_of_our_system() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played::default());
    let system: fn(u16) -> System = |case| if case == 2 { System::Linux } else { System::Assay };
    let b = sessions.play("b", &Played { system, ..Played::default() });
    compare(&a, &b, &[])
        .expect_exit(5)
        .expect_message(&["incomplete: 0 rounds of case 2 count, 15 were requested"]);
    let c = sessions.play("c", &Played { system: |_| System::Native, ..Played::default() });
    compare(&a, &c, &[])
        .expect_exit(5)
        .expect_message(&["too-few-rounds: no run of the system assay counts"]);
}
