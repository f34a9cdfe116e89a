//! `assay verify`: sessions that hold, and every way of editing one, which must end in its own message.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Played, Sessions, edit_results, slower};
use crate::stage::{DEADLINE, DIES, Stage};

mod again;
mod archives;
mod chains;
mod manifests;
mod patience;
mod signatures;

const NOT_VERIFIED: i32 = 12;

#[track_caller]
fn verify(session: &Path) -> Said {
    run(assay(["verify"]).arg(session), DEADLINE)
}

/// A session in which the host disturbed a round, so that there is something to decide.
fn session(sessions: &Sessions, name: &str) -> std::path::PathBuf {
    let played = Played { rounds: 6, disturbed: Some(2), probe_ns: None, ..Played::default() };
    sessions.play(name, &played)
}

/// Checks that neither `verify` nor `compare` takes a session whose results.json was edited, and that both say where.
#[track_caller]
fn refuses(change: impl FnOnce(&mut Value), place: &str) {
    let sessions = Sessions::new();
    let (a, b) = (session(&sessions, "a"), session(&sessions, "b"));
    verify(&b).expect_exit(0);
    edit_results(&b, change);
    let said = verify(&b);
    said.expect_exit(NOT_VERIFIED).expect_answer(&[
        "NOT VERIFIED",
        "b/results.json",
        place,
        "the session wrote",
    ]);
    for options in [&[][..], &["--paired"]] {
        let mut command = assay(["compare"]);
        let said = run(command.args([&a, &b]).args(options), DEADLINE);
        said.expect_exit(NOT_VERIFIED).expect_message(&["does not verify", "b/results.json"]);
    }
}

fn runs(results: &mut Value) -> &mut Vec<Value> {
    results["runs"].as_array_mut().unwrap()
}

#[test]
fn a_session_as_it_was_written_verifies() {
    let sessions = Sessions::new();
    verify(&session(&sessions, "a")).expect_exit(0).expect_answer(&[
        "12 runs, 15 lines of the chain",
        "VERIFIED",
        "recorded, not derived: environment, commands, times, what the host observed",
    ]);
    let rows =
        [("a", Played { rounds: 3, ..Played::default() }), ("b", Played { rounds: 3, ..Played::default() })];
    let both = sessions.play_rows("both", &rows);
    verify(&both).expect_exit(0);
    verify(&both.join("b")).expect_exit(0).expect_answer(&["12 runs", "VERIFIED"]);
}

#[test]
fn refuses_rounds_that_were_excluded_by_hand() {
    refuses(
        |results| {
            for run in runs(results).iter_mut().filter(|run| run["round"] == 5) {
                run["set_aside"] = "vcpu-preempted: the host".into();
            }
            results["experiment"]["rounds"] = 4.into();
        },
        "/runs/8/set_aside: stored \"vcpu-preempted: the host\", derived null",
    );
}

#[test]
fn refuses_an_exclusion_that_was_taken_back() {
    refuses(
        |results| {
            results["rounds_set_aside"] = json!({});
            runs(results).iter_mut().for_each(|run| run["set_aside"] = Value::Null);
        },
        "/rounds_set_aside/3: stored nothing, derived \"vcpu-preempted in run 5",
    );
}

#[test]
fn refuses_runs_that_were_removed_from_the_list() {
    refuses(|results| drop(runs(results).drain(6..)), "/runs: stored 6 elements, derived 12");
}

#[test]
fn refuses_limits_and_options_that_were_edited() {
    refuses(
        |results| results["experiment"]["set_aside_limit"] = 1000.into(),
        "/experiment/set_aside_limit: stored 1000, derived 6",
    );
    refuses(
        |results| results["experiment"]["rounds"] = 12.into(),
        "/experiment/rounds: stored 12, derived 5",
    );
    refuses(
        |results| results["experiment"]["name"] = "another".into(),
        "/experiment/name: stored \"another\"",
    );
    refuses(|results| results["complete"] = false.into(), "/complete: stored false, derived true");
}

#[test]
fn refuses_evidence_that_was_edited() {
    refuses(
        |results| {
            for run in runs(results) {
                run["evidence"]["watched"] = false.into();
                run["evidence"]["delays"] = json!([]);
            }
        },
        "/runs/0/evidence/watched: stored false, derived true",
    );
    refuses(
        |results| runs(results).iter_mut().for_each(|run| run["evidence"]["vcpus"] = 4.into()),
        "/runs/0/evidence/vcpus: stored 4, derived 1",
    );
    refuses(
        |results| runs(results)[0]["started_unix_ms"] = 1.into(),
        "/runs/0/started_unix_ms: stored 1, derived 1795000000000",
    );
}

#[test]
fn refuses_passed_runs_without_samples() {
    refuses(
        |results| runs(results)[0]["measurement"]["samples"] = json!([]),
        "/runs/0/measurement/samples: stored 0 elements, derived 1",
    );
}

#[test]
fn refuses_outcomes_that_the_logs_contradict() {
    refuses(
        |results| {
            let run = runs(results)[0].as_object_mut().unwrap();
            run.remove("measurement");
            run.insert("outcome".to_owned(), "failed".into());
            run.insert("reason".to_owned(), "kernel-panic".into());
        },
        "/runs/0/outcome: stored \"failed\", derived \"passed\"",
    );
}

#[test]
fn refuses_invented_figures() {
    refuses(
        |results| results["cases"][0]["cycles"]["median"] = 1.into(),
        "/cases/0/cycles/median: stored 1, derived 17",
    );
    refuses(
        |results| results["claim"] = json!({ "verdict": "holds", "median": 9.9 }),
        "/claim/median: stored 9.9",
    );
    refuses(
        |results| {
            let samples = runs(results)[0]["measurement"]["samples"].as_array_mut().unwrap();
            samples[0]["set_aside"] = "cpu-slowed".into();
        },
        "/runs/0/measurement/samples/0/set_aside: stored \"cpu-slowed\", derived null",
    );
    refuses(
        |results| runs(results)[1]["measurement"]["samples"][0]["cycles"] = 1.into(),
        "/runs/1/measurement/samples/0/cycles: stored 1",
    );
}

#[test]
fn refuses_tables_that_were_edited() {
    let sessions = Sessions::new();
    for (file, from, to) in [("summary.md", "median", "medium"), ("samples.csv", ",passed,", ",failed,")] {
        let b = session(&sessions, file);
        let path = b.join(file);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(&path, text.replacen(from, to, 1)).unwrap();
        let said = verify(&b);
        said.expect_exit(NOT_VERIFIED).expect_answer(&[&format!("{file}: line "), "stored `", "derived `"]);
        fs::remove_file(&path).unwrap();
        verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&[&format!("{file}: cannot be read")]);
    }
}

#[test]
fn refuses_logs_that_were_changed_removed_or_added() {
    let sessions = Sessions::new();
    let log = |folder: &Path, name: &str| folder.join("runs").join(format!("{name}.serial.log"));
    let b = session(&sessions, "cut");
    let path = log(&b, "run-004-round-3-case-1");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["case-1.serial.log: has SHA-256", "sealed is"]);
    fs::remove_file(&path).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["case-1.serial.log: cannot be read: No such file"]);
    let b = session(&sessions, "swapped");
    fs::copy(log(&b, "run-002-round-2-case-1"), log(&b, "run-004-round-3-case-1")).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["run 4 has the boot nonce of run 2"]);
    let b = session(&sessions, "added");
    fs::copy(log(&b, "run-002-round-2-case-1"), log(&b, "run-012-round-7-case-1")).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["run-012-round-7-case-1.serial.log: is in no run"]);
}

#[test]
fn refuses_another_manifest() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    let path = b.join("manifest.toml");
    let manifest = fs::read_to_string(&path).unwrap();
    fs::write(&path, manifest.replace("min-speedup = 1.6", "min-speedup = 1.1")).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["manifest.toml: has SHA-256"]);
    fs::remove_file(&path).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["manifest.toml: cannot be read"]);
}

#[test]
fn a_copy_is_not_another_session() {
    let sessions = Sessions::new();
    let a = sessions.play("a", &Played { cycles: slower, ..Played::default() });
    let copy = sessions.path("copy");
    let copied = std::process::Command::new("cp").arg("-r").args([&a, &copy]).status().unwrap();
    assert!(copied.success());
    verify(&copy).expect_exit(0);
    for options in [&[][..], &["--paired"]] {
        let said = run(assay(["compare"]).args([&a, &copy]).args(options), DEADLINE);
        said.expect_exit(5).expect_message(&["they are one session", "not compared with itself"]);
    }
}

#[test]
fn sessions_with_a_run_in_common_are_not_compared() {
    // Another first line, but the boot nonces of the same name.
    let (one, other) = (Sessions::new(), Sessions::new());
    let a = one.play("a", &Played::default());
    let b = other.play("a", &Played { seed: Some(1), ..Played::default() });
    verify(&b).expect_exit(0);
    let said = run(assay(["compare"]).args([&a, &b]), DEADLINE);
    said.expect_exit(5).expect_message(&["they have 30 runs in common, by their boot nonces"]);
}

#[test]
fn a_session_without_a_chain_is_named_as_one() {
    let sessions = Sessions::new();
    let a = session(&sessions, "a");
    fs::remove_file(a.join("session.jsonl")).unwrap();
    let message = ["a: has no session.jsonl", "recorded before sessions were sealed; record it again"];
    verify(&a).expect_exit(NOT_VERIFIED).expect_message(&message);
    run(assay(["compare"]).args([&a, &a]), DEADLINE).expect_exit(NOT_VERIFIED).expect_message(&message);
    verify(&sessions.path("none")).expect_exit(7).expect_message(&["none: no such session; `assay list`"]);
}

#[test]
fn what_assay_run_writes_verifies() {
    let stage = Stage::with_qemu(DIES);
    stage.run(&["--no-probe"]).expect_exit(5);
    verify(&stage.session()).expect_exit(0).expect_answer(&[
        "1 runs",
        "incomplete: 1 of 21 runs",
        "VERIFIED",
    ]);
    let said = run(&mut stage.command_of("ab", &["--no-probe", "--cases", "1", "--seed", "1"]), DEADLINE);
    said.expect_exit(5);
    verify(&stage.path("out/ab/t")).expect_exit(0).expect_answer(&["1 runs", "incomplete: 1 of 30 runs"]);
    let results = fs::read_to_string(stage.session().join("results.json")).unwrap();
    let results: Value = serde_json::from_str(&results).unwrap();
    let said = run(&mut assay(["--version"]), DEADLINE);
    let (version, commit) = (&results["tool"]["version"], &results["tool"]["commit"]);
    let expected = format!("assay {} ({})\n", version.as_str().unwrap(), commit.as_str().unwrap());
    assert_eq!(said.out, expected);
}
