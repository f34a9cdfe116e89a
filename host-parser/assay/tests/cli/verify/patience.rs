//! Sessions that a time bounds, and no limit of what may be lost.

use std::fs;
use std::path::Path;

use results::Completion;

use super::chains::{forge, is};
use super::{NOT_VERIFIED, verify};
use crate::assay::{Said, assay, run};
use crate::compare::sessions::{Again, Played, Sessions};
use crate::stage::DEADLINE;

/// The time of a run of a played session, in milliseconds.
const RUN_MS: u64 = 400;

/// Six rounds of a session that was to have `asked` within `patience_ms`; two runs of the third were made again.
fn patient(asked: u32, patience_ms: u64, completion: Completion) -> Played {
    let (rounds, asked, patience_ms) = (6, Some(asked), Some(patience_ms));
    let (disturbed, limit) = (Some(2), Some(60));
    Played {
        rounds,
        asked,
        limit,
        patience_ms,
        disturbed,
        again: Again::Disturbed,
        completion,
        ..Played::default()
    }
}

fn over(after_ms: u64) -> Completion {
    Completion::OutOfPatience { after_ms }
}

/// The page of a session, without its line breaks.
#[track_caller]
fn page(folder: &Path) -> String {
    let said = run(assay(["show"]).arg(folder), DEADLINE);
    said.expect_exit(0).out.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The comparison of a session with a good one, which ends as the session itself.
#[track_caller]
fn compared(sessions: &Sessions, folder: &Path) -> Said {
    let good = sessions.play("good", &Played { later_ms: 500, ..Played::default() });
    run(assay(["compare"]).args([folder, &good]), DEADLINE)
}

#[track_caller]
fn expect(text: &str, part: &str) {
    assert!(text.contains(part), "no {part:?} in {text}");
}

#[test]
fn a_session_whose_time_was_over_verifies_and_makes_its_claim_of_what_there_is() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &patient(30, 60_000, over(60_500)));
    verify(&folder).expect_exit(0).expect_answer(&["14 runs", "VERIFIED"]);
    let text = page(&folder);
    expect(&text, "HOLDS: ");
    expect(&text, "patience 1m, over after 1m");
    let summary = fs::read_to_string(folder.join("summary.md")).unwrap();
    let lost = "2 runs do not count (patience 1m; at most 1 may be lost for each that counts)";
    assert!(summary.contains(lost), "{summary}");
}

#[test]
fn a_session_whose_time_was_not_over_states_its_patience_too() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &patient(6, 60_000, Completion::Complete));
    verify(&folder).expect_exit(0);
    let text = page(&folder);
    expect(&text, "HOLDS: ");
    expect(&text, "patience 1m, not used up");
}

#[test]
fn too_few_rounds_in_time_are_a_busy_host_if_it_took_runs() {
    let sessions = Sessions::new();
    let few = Played { rounds: 4, ..patient(30, 60_000, over(60_500)) };
    let folder = sessions.play("busy", &few);
    verify(&folder).expect_exit(0);
    let text = page(&folder);
    expect(&text, "NOT A CLAIM");
    expect(
        &text,
        "host-contended: the patience of 1m is over: 4 rounds count, at least 5 must; 2 runs do not",
    );
    compared(&sessions, &folder)
        .expect_exit(75)
        .expect_message(&["host-contended: the patience of 1m is over"]);
    // Without a lost run it is the time alone that was too short.
    let folder = sessions.play("slow", &Played { disturbed: None, ..few });
    verify(&folder).expect_exit(0);
    expect(&page(&folder), "incomplete: 4 rounds count, at least 5 must: the patience of 1m is over");
}

#[test]
fn a_session_may_not_lose_more_than_its_share_in_any_time() {
    // Of six rounds that count one run may be lost, and two are.
    let sessions = Sessions::new();
    let strict = Played { limit: Some(5), ..patient(30, 60_000, over(60_500)) };
    let folder = sessions.play("a", &strict);
    verify(&folder).expect_exit(0);
    expect(&page(&folder), "host-contended: 2 runs do not count");
    let detail = "at most 1 may be beside 6 rounds that count";
    expect(&page(&folder), detail);
    compared(&sessions, &folder).expect_exit(75).expect_message(&[detail]);
}

#[test]
fn no_session_ends_before_its_time_is_over() {
    let sessions = Sessions::new();
    for (name, patience_ms, after_ms, detail) in [
        ("early", 60_000, 59_999, "ends after 59999 ms, but has a patience of 60000 ms"),
        ("short", 1_000, 14 * RUN_MS - 1, "ends after 5599 ms, but its runs took 5600 ms"),
    ] {
        let folder = sessions.play(name, &patient(30, patience_ms, over(after_ms)));
        verify(&folder).expect_exit(NOT_VERIFIED).expect_answer(&[detail]);
    }
    let without = Played { patience_ms: None, ..patient(30, 0, over(60_000)) };
    let folder = sessions.play("without", &without);
    verify(&folder)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["ends because its patience was over, but has none"]);
}

#[test]
fn a_round_that_was_begun_is_made_whole() {
    let sessions = Sessions::new();
    let folder = sessions.play("a", &patient(30, 60_000, over(60_500)));
    forge(&folder, |entries| {
        let last = entries.iter().rposition(|entry| is(entry, "run")).unwrap();
        entries.remove(last);
    });
    verify(&folder).expect_exit(NOT_VERIFIED).expect_answer(&["its last round, 6, is not whole"]);
}

#[test]
fn as_complete_as_was_asked_for_is_not_enough_if_more_is_lost_than_may_be() {
    let sessions = Sessions::new();
    let strict = Played { limit: Some(1), ..patient(6, 60_000, Completion::Complete) };
    let folder = sessions.play("a", &strict);
    verify(&folder).expect_exit(NOT_VERIFIED).expect_answer(&["ends as complete, but has 14 of 26 runs"]);
}
