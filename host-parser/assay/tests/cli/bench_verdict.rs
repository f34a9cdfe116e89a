//! `assay dev bench-verdict` on rows that were recorded before.

use std::fs;

use results::Completion;
use serde_json::Value;

use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Played, Sessions, steady};
use crate::stage::DEADLINE;

const SIDES: [&str; 5] = ["a1", "a2", "primes-slowed-2", "primes-slowed-5", "primes-slowed-10"];

/// Writes a session with a row for each of these times.
fn record(sessions: &Sessions, rounds: u32, cycles: [fn(u32) -> u64; 5]) {
    record_part(sessions, cycles, &Played { rounds, probe_ns: None, ..Played::default() });
}

fn record_part(sessions: &Sessions, cycles: [fn(u32) -> u64; 5], played: &Played) {
    let row = |cycles| Played { cases: vec![1], cycles, ..played.clone() };
    let rows: Vec<(&str, Played)> = SIDES.into_iter().zip(cycles.map(row)).collect();
    sessions.play_rows("", &rows);
}

/// Rows as slow as their names say.
const AS_NAMED: [fn(u32) -> u64; 5] = [
    steady,
    |round| steady(round * 8 + 1),
    |round| steady(round * 7 + 2) * 102 / 100,
    |round| steady(round * 14 + 3) * 105 / 100,
    |round| steady(round * 8 + 4) * 110 / 100,
];

fn judge(sessions: &Sessions) -> Said {
    let mut command =
        assay(["dev", "bench-verdict", "--simulated", "0", "--trials", "100", "--seed", "1", "--from"]);
    run(command.arg(sessions.path("")), DEADLINE)
}

#[test]
fn an_undisturbed_recording_reaches_the_goals_and_records_the_seed() {
    let sessions = Sessions::new();
    record(&sessions, 45, AS_NAMED);
    let said = judge(&sessions);
    said.expect_exit(0).expect_answer(&[
        "case 1: 45 rounds side by side",
        "no native probe: it is unknown whether the host was undisturbed",
        "paired, a2 (identical) to a1           0       0              3",
        "0 of 3: 0.0 to 70.8 %",
        "unpaired, +5 % to a2",
        "1 of 1: 2.5 to 100.0 %",
        "REACHED: unpaired",
        "REACHED: paired",
    ]);
    let verdict = fs::read_to_string(sessions.path("verdict.json")).unwrap();
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!((&verdict["quality"]["seed"], &verdict["quality"]["recorded"]), (&1.into(), &45.into()));
    assert_eq!(verdict["experiments"][1]["against"], "a1");
    let real: Vec<_> = verdict["real"].as_array().unwrap().iter().map(|r| &r["paired"]["verdict"]).collect();
    assert_eq!(real, ["no-difference", "slower", "slower", "slower"]);
    // Given as two recordings: the existing verdict.json stays, and the experiments are counted together.
    let folder = sessions.path("");
    let mut again =
        assay(["dev", "bench-verdict", "--simulated", "0", "--trials", "100", "--seed", "2", "--from"]);
    let said = run(again.arg(&folder).arg("--from").arg(&folder), DEADLINE);
    said.expect_exit(0).expect_answer(&["was not changed", "all 2 recordings", "0 of 6: 0.0 to 45.9 %"]);
    let kept = fs::read_to_string(sessions.path("verdict.json")).unwrap();
    assert!(kept.contains("\"seed\": 1"), "{kept}");
}

#[test]
fn judges_a_recording_that_a_signal_cut_short() {
    let sessions = Sessions::new();
    let completion = Completion::Partial { why: "interrupted".to_owned() };
    let part = Played { rounds: 16, asked: Some(45), seed: Some(77), completion, ..Played::default() };
    record_part(&sessions, AS_NAMED, &part);
    let mut command = assay(["dev", "bench-verdict", "--simulated", "0", "--trials", "100", "--from"]);
    run(command.arg(sessions.path("")), DEADLINE).expect_exit(3).expect_answer(&[
        "case 1: 16 rounds side by side",
        "incomplete (interrupted); judged on the rounds that were made",
        "NOT DECIDED, too few rounds (it takes 45): paired",
    ]);
    assert!(fs::read_to_string(sessions.path("verdict.json")).unwrap().contains("\"seed\": 77"));
    let [a, b] = ["a1", "a2"].map(|side| sessions.path(side));
    run(assay(["compare"]).args([a, b]), DEADLINE)
        .expect_exit(5)
        .expect_message(&["incomplete: interrupted"]);
}

#[test]
fn misses_the_goals_if_a_slowed_row_is_not_slower() {
    let sessions = Sessions::new();
    let mut cycles = AS_NAMED;
    cycles[3] = steady;
    record(&sessions, 45, cycles);
    judge(&sessions)
        .expect_exit(1)
        .expect_answer(&["MISSED: unpaired", "5 % found at least 95 % of the time: 0.0 %"]);
}

#[test]
fn reports_too_few_rounds_and_a_missing_row() {
    let sessions = Sessions::new();
    record(&sessions, 8, AS_NAMED);
    judge(&sessions).expect_exit(3).expect_answer(&["not tried at worst", "experiments really run: none"]);
    fs::remove_dir_all(sessions.path("a2")).unwrap();
    judge(&sessions).expect_exit(12).expect_message(&["a2/", "cannot be read"]);
}

#[test]
fn prints_the_verdict_on_simulated_hosts_without_a_recording() {
    let mut command = assay(["dev", "bench-verdict", "--only-simulated", "--simulated", "20"]);
    let said = run(&mut command, DEADLINE);
    // Twenty sessions decide nothing.
    said.expect_exit(3).expect_answer(&["paired", "AR(1) 0.95, 2 %", "session offset 1 %", "by pace"]);
    assert!(said.out.lines().all(|line| line.chars().count() <= 80), "{}", said.out);
}
