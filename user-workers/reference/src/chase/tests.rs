//! The reference against the program's own walk.

use super::*;
use cycle::{Line, after, link, walk};

/// The very file that the program is built from.
#[expect(unsafe_code, reason = "the walk follows addresses, as the program does")]
#[path = "../../../programs/src/chase/cycle.rs"]
mod cycle;

fn by_worker(task: Chase, challenge: u64) -> Expectation {
    let lines = usize::try_from(task.kib * LINES_IN_KIB).unwrap();
    let mut lines = vec![Line::ALONE; lines];
    link(&mut lines);
    let (_, sum) = walk(&lines, after(&lines, task.first), task.end - task.first);
    Expectation { answer: sum, work: task.end - task.first, digest: bind(sum, challenge) }
}

#[test]
fn agrees_with_the_workers_own_code() {
    for (first, end, kib) in [(0, 1, 1), (0, 16, 1), (5, 100, 1), (0, 50_000, 16), (123_456, 150_000, 64)] {
        let task = Chase { first, end, kib };
        assert_eq!(task.expectation(9), by_worker(task, 9), "{task:?}");
    }
}

#[test]
fn the_walk_visits_every_line_once_before_it_returns() {
    let mut lines = vec![Line::ALONE; 1000];
    link(&mut lines);
    let mut seen = std::collections::BTreeSet::new();
    let mut at = lines.as_ptr();
    while seen.insert(at) {
        at = walk(&lines, at, 1).0;
    }
    assert_eq!((seen.len(), at), (1000, lines.as_ptr()));
}

#[test]
fn the_walk_is_no_sequence_that_a_prefetcher_knows() {
    let mut lines = vec![Line::ALONE; 4096];
    link(&mut lines);
    let mut at = lines.as_ptr();
    let near = (0..4096).filter(|_| {
        let next = walk(&lines, at, 1).0;
        let near = next.addr().abs_diff(at.addr()) <= 256;
        at = next;
        near
    });
    assert!(near.count() < 40, "a step of at most four lines is rare");
}
