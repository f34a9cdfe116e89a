//! Chains that were cut, edited, or edited and chained again.

use std::fs;
use std::path::Path;

use abi::Digest;
use report::{EXPORTERS, write_all};
use results::seal::SealedSession;
use serde_json::{Value, json};

use super::{NOT_VERIFIED, session, verify};
use crate::assay::{assay, run};
use crate::compare::sessions::Sessions;
use crate::stage::DEADLINE;

fn read(folder: &Path) -> Vec<String> {
    let chain = fs::read_to_string(folder.join("session.jsonl")).unwrap();
    chain.lines().map(str::to_owned).collect()
}

fn write(folder: &Path, lines: &[String]) {
    fs::write(folder.join("session.jsonl"), lines.join("\n") + "\n").unwrap();
}

/// Edits the entries of a chain, and gives every line its number and digest again: no hash shows it.
pub(super) fn forge(folder: &Path, edit: impl FnOnce(&mut Vec<Value>)) {
    let first = read(folder).swap_remove(0);
    let lines = read(folder).into_iter().map(|line| serde_json::from_str(&line).unwrap());
    let mut entries: Vec<Value> = lines.map(|line: Value| line["entry"].clone()).collect();
    let commitment = entries[0].clone();
    edit(&mut entries);
    let mut lines = Vec::new();
    let mut prev = "0".repeat(64);
    for (n, entry) in entries.into_iter().enumerate() {
        // The challenges follow from the bytes of the first line.
        let line = match n {
            0 if entry == commitment => first.clone(),
            _ => json!({ "n": n, "prev": prev, "entry": entry }).to_string(),
        };
        prev = Digest::of(line.as_bytes()).to_string();
        lines.push(line);
    }
    write(folder, &lines);
}

pub(super) fn is(entry: &Value, kind: &str) -> bool {
    entry.get(kind).is_some()
}

#[test]
fn any_changed_line_breaks_the_chain() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    let good = read(&b);
    for at in 0..good.len() - 1 {
        let mut lines = good.clone();
        // JSON as good as before, with the same content.
        lines[at] = lines[at].replacen(",\"prev\"", ", \"prev\"", 1);
        assert_ne!(lines[at], good[at]);
        write(&b, &lines);
        let place = format!("session.jsonl: line {}: expects", at + 2);
        verify(&b).expect_exit(NOT_VERIFIED).expect_message(&[&place, "a line was changed"]);
    }
    let mut lines = good.clone();
    lines.remove(5);
    write(&b, &lines);
    verify(&b).expect_exit(NOT_VERIFIED).expect_message(&["line 6: has number 6, expected 5"]);
    lines = good.clone();
    lines.push(good[3].clone());
    write(&b, &lines);
    verify(&b).expect_exit(NOT_VERIFIED).expect_message(&["line 16: has number 3"]);
    fs::write(b.join("session.jsonl"), "").unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_message(&["line 1: is missing"]);
    write(&b, &good);
    verify(&b).expect_exit(0);
}

#[test]
fn decisions_are_worked_out_again() {
    let sessions = Sessions::new();
    let b = session(&sessions, "added");
    forge(&b, |entries| {
        let detail = "the host, it seems";
        let excluded = json!({ "excluded": { "round": 4, "reason": "vcpu-preempted", "detail": detail } });
        entries.insert(12, excluded);
    });
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&[
        "line 13: excludes round 5, vcpu-preempted: the host, it seems; the evidence does not",
    ]);
    let b = session(&sessions, "removed");
    forge(&b, |entries| entries.retain(|entry| !is(entry, "excluded")));
    verify(&b)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["comes before the evidence's exclusion of round 3, vcpu-preempted: "]);
    let b = session(&sessions, "changed");
    forge(&b, |entries| {
        let decided = entries.iter_mut().find(|entry| is(entry, "excluded")).unwrap();
        decided["excluded"]["round"] = 5.into();
    });
    verify(&b)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["excludes round 6, vcpu-preempted: ", "; the evidence excludes round 3, "]);
}

#[test]
fn runs_cannot_be_left_out() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    let log = b.join("runs/run-009-round-5-case-2.serial.log");
    forge(&b, |entries| entries.retain(|entry| entry["run"]["run"] != 9));
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&[
        "is run 10, expected run 9",
        "line 12: run 10 answered another challenge than ",
        "run-009-round-5-case-2.serial.log: is in no run of the chain",
        "ends as complete, but has 11 of 12 runs",
        "samples.csv: stored ",
    ]);
    // Without its log, and with the others numbered anew, it is still missing.
    fs::remove_file(log).unwrap();
    forge(&b, |entries| {
        let runs = entries.iter_mut().filter(|entry| is(entry, "run"));
        (0..).zip(runs).for_each(|(number, entry)| entry["run"]["run"] = json!(number));
    });
    verify(&b)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["line 12: run 9 answered another challenge than ", "has 11 of 12 runs"]);
}

#[test]
fn a_challenge_follows_from_the_runs_before() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    forge(&b, |entries| entries[3]["run"]["challenge"] = "0123456789abcdef".into());
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["line 4: run 2 was given another challenge than "]);
}

#[test]
fn evidence_that_is_deleted_contradicts_the_decisions() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    forge(&b, |entries| {
        for run in entries.iter_mut().filter(|entry| is(entry, "run")) {
            run["run"]["evidence"]["watched"] = false.into();
            run["run"]["evidence"]["delays"] = json!([]);
        }
    });
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&[
        "excludes round 3, vcpu-preempted: ",
        "the evidence does not",
        "ends as complete, but has 12 of 10 runs",
        "samples.csv: line 10: stored ",
    ]);
}

#[test]
fn unknown_fields_and_newer_forms_are_not_passed_over() {
    let sessions = Sessions::new();
    let b = session(&sessions, "field");
    forge(&b, |entries| entries[1]["run"]["believe"] = "this".into());
    verify(&b).expect_exit(NOT_VERIFIED).expect_message(&["line 2: not readable", "unknown field `believe`"]);
    let b = session(&sessions, "form");
    forge(&b, |entries| entries[0]["session"]["form"] = 3.into());
    verify(&b).expect_exit(NOT_VERIFIED).expect_message(&["line 1: form: expected at most 2, found 3"]);
}

/// Leaves of a session what there is when it is killed after `runs` runs, in the middle of writing a line.
fn kill(folder: &Path, runs: usize) {
    let mut lines = read(folder);
    let after = |line: &String| line.contains("{\"run\":{\"run\":");
    let last = lines.iter().enumerate().filter(|(_, line)| after(line)).nth(runs).unwrap().0;
    lines.truncate(last);
    write(folder, &lines);
    let torn = fs::read_to_string(folder.join("session.jsonl")).unwrap() + "{\"n\":";
    fs::write(folder.join("session.jsonl"), torn).unwrap();
    for log in fs::read_dir(folder.join("runs")).unwrap().map(|log| log.unwrap().path()) {
        let name = log.file_name().unwrap().to_str().unwrap();
        // That of the run that was being made is there.
        if name[4..7].parse::<usize>().unwrap() > runs {
            fs::remove_file(&log).unwrap();
        }
    }
    EXPORTERS.iter().for_each(|exporter| fs::remove_file(folder.join(exporter.file_name())).unwrap());
}

#[test]
fn a_killed_session_leaves_a_chain_that_verifies_as_far_as_it_goes() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    kill(&b, 6);
    verify(&b).expect_exit(5).expect_answer(&[
        "6 runs, 8 lines",
        "INCOMPLETE: the chain has no end",
        "VERIFIED",
    ]);
    // What is whole can be had again.
    let folder = sessions.path("rebuilt");
    let said = run(assay(["verify", "--rebuild"]).arg(&folder).arg(&b), DEADLINE);
    said.expect_exit(5).expect_answer(&["6 of 12 runs were made: still running, or killed", "written into"]);
    let rebuilt = fs::read_to_string(folder.join("results.json")).unwrap();
    assert!(rebuilt.contains("\"complete\": false"));
    let samples = fs::read_to_string(folder.join("samples.csv")).unwrap();
    assert!((0..6).all(|run| samples.contains(&format!("\n{run},{},", run / 2 + 1))), "{samples}");
    assert!(!samples.contains("\n6,"), "{samples}");
    run(assay(["parse"]).arg(&b), DEADLINE).expect_exit(7).expect_message(&["assay show", "assay verify"]);
    // Results that were written after four runs.
    let killed = SealedSession::read(&b).unwrap();
    let results = killed.results_so_far(0, 4).unwrap();
    assert_eq!(results.incomplete.as_deref(), Some("4 of 10 runs were made: still running, or killed"));
    write_all(&b, &results).unwrap();
    verify(&b).expect_exit(5);
    assert_eq!(
        killed.results(0).incomplete.as_deref(),
        Some("6 of 12 runs were made: still running, or killed")
    );
    let path = b.join("results.json");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"complete\": false", "\"complete\": true", 1)).unwrap();
    verify(&b).expect_exit(NOT_VERIFIED).expect_answer(&["/complete: stored true, derived false"]);
}

#[test]
fn a_chain_whose_end_was_cut_off_does_not_prove_complete_results() {
    let sessions = Sessions::new();
    let b = session(&sessions, "b");
    let mut lines = read(&b);
    lines.pop();
    write(&b, &lines);
    verify(&b)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["INCOMPLETE", "/complete: stored true, derived false"]);
}
