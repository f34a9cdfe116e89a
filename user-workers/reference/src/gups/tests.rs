//! The reference against the program's own table.

use super::*;
use table::{after, digest, fill, undo, update};

/// The very file that the program is built from.
#[path = "../../../programs/src/gups/table.rs"]
mod table;

fn by_worker(task: Gups, challenge: u64) -> Expectation {
    let mut entries = vec![0; usize::try_from(task.kib * ENTRIES_IN_KIB).unwrap()];
    fill(&mut entries);
    let updates = task.end - task.first;
    let even = update(&mut entries, after(task.first), updates).even;
    Expectation { answer: even, work: updates, digest: bind(digest(&entries), challenge) }
}

#[test]
fn agrees_with_the_workers_own_code() {
    for (first, end, kib) in [(0, 1, 1), (0, 1000, 1), (63, 66, 2), (100, 50_000, 64), (99_999, 120_000, 128)]
    {
        let task = Gups { first, end, kib };
        assert_eq!(task.expectation(9), by_worker(task, 9), "{task:?}");
    }
}

#[test]
fn a_warm_up_leaves_no_trace() {
    let mut entries = vec![0; 128];
    fill(&mut entries);
    let untouched = entries.clone();
    update(&mut entries, after(5), 1000);
    assert_ne!(entries, untouched);
    undo(&mut entries, after(5), 1000);
    assert_eq!(entries, untouched);
}
