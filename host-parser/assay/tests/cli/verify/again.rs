//! Runs that were made again: only those that the evidence excludes, and all of them.

use super::{NOT_VERIFIED, Said, verify};
use crate::compare::sessions::{Again, Played, Sessions};

fn session(sessions: &Sessions, name: &str, again: Again) -> Said {
    let played = Played { rounds: 5, disturbed: Some(2), again, ..Played::default() };
    verify(&sessions.play(name, &played))
}

#[test]
fn a_disturbed_run_that_was_made_again_verifies() {
    let sessions = Sessions::new();
    let said = session(&sessions, "a", Again::Disturbed);
    // Ten runs of five rounds, and both of the third one again; each of these two is an exclusion.
    said.expect_exit(0).expect_answer(&["12 runs, 16 lines of the chain", "VERIFIED"]);
    let summary = std::fs::read_to_string(sessions.path("a").join("summary.md")).unwrap();
    assert!(summary.contains("2 runs do not count (at most 10 may be lost); 2 were made again"), "{summary}");
    assert!(
        summary.contains("run 4 round 3 assay case 1 attempt 1: vcpu-preempted: vCPU 0 waited"),
        "{summary}"
    );
    assert!(!summary.contains("rounds excluded"), "{summary}");
}

#[test]
fn a_run_that_nothing_excludes_is_not_made_again() {
    let sessions = Sessions::new();
    session(&sessions, "a", Again::All).expect_exit(NOT_VERIFIED).expect_answer(&[
        "line 3: run 1 makes run 0 again, which was not to be made again",
        "line 5: run 3 makes run 2 again",
    ]);
}

#[test]
fn a_disturbed_run_is_not_passed_over() {
    let sessions = Sessions::new();
    session(&sessions, "a", Again::NotEvenThose)
        .expect_exit(NOT_VERIFIED)
        .expect_answer(&["run 5 comes before run 4 was made again"]);
}
