//! `assay bench-verdict` on sides that were recorded before.

use std::fs;

use serde_json::Value;

use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Played, Sessions, steady};
use crate::stage::DEADLINE;

/// Plays every side for so many rounds, each with its times.
fn record(sessions: &Sessions, rounds: u32, cycles: [fn(u32) -> u64; 5]) {
    let sides = ["a1", "a2", "primes-slowed-2", "primes-slowed-5", "primes-slowed-10"];
    for ((place, name), cycles) in (0..).zip(sides).zip(cycles) {
        // Each side's runs a little later than those of the one before, and over before the next round.
        let played = Played { rounds, cases: vec![1], cycles, later_ms: 100 * place, ..Played::default() };
        sessions.play(name, &played);
    }
}

const AS_NAMED: [fn(u32) -> u64; 5] = [
    steady,
    |round| steady(round * 2 + 1),
    |round| steady(round * 4 + 2) * 102 / 100,
    |round| steady(round * 7 + 3) * 105 / 100,
    |round| steady(round * 8 + 4) * 110 / 100,
];

fn judge(sessions: &Sessions) -> Said {
    let mut command = assay(["bench-verdict", "--trials", "100", "--seed", "1", "--from"]);
    run(command.arg(sessions.path("")), DEADLINE)
}

#[test]
fn a_quiet_recording_reaches_the_goals_and_the_seed_is_recorded() {
    let sessions = Sessions::new();
    record(&sessions, 18, AS_NAMED);
    let said = judge(&sessions);
    said.expect_exit(0).expect_answer(&[
        "case 1: 18 rounds side by side",
        "REACHED: unpaired",
        "REACHED: paired",
    ]);
    let verdict = fs::read_to_string(sessions.path("verdict.json")).unwrap();
    let verdict: Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!((&verdict["quality"]["seed"], &verdict["quality"]["recorded"]), (&1.into(), &18.into()));
    let real: Vec<_> = verdict["real"].as_array().unwrap().iter().map(|r| &r["paired"]["verdict"]).collect();
    assert_eq!(real, ["no-difference", "slower", "slower", "slower"]);
    assert_eq!(judge(&sessions).out, said.out, "the same seed draws the same");
}

#[test]
fn a_side_that_is_not_slower_as_it_should_be_misses_the_goals() {
    let sessions = Sessions::new();
    let mut cycles = AS_NAMED;
    cycles[3] = steady;
    record(&sessions, 16, cycles);
    judge(&sessions)
        .expect_exit(1)
        .expect_answer(&["MISSED: unpaired", "5 % found at least 95 % of the time: 0.0 %"]);
}

#[test]
fn too_few_rounds_and_a_missing_side_are_said() {
    let sessions = Sessions::new();
    record(&sessions, 8, AS_NAMED);
    judge(&sessions).expect_exit(1).expect_answer(&["not tried at worst"]);
    fs::remove_dir_all(sessions.path("a2")).unwrap();
    judge(&sessions).expect_exit(7).expect_message(&["a2/results.json"]);
}
