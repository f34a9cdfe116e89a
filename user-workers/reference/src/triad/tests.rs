//! The reference against the program's own arrays.

use super::*;
use arrays::{Arrays, space};

/// The very file that the program is built from.
#[path = "../../../programs/src/triad/arrays.rs"]
mod arrays;

fn by_worker(task: Triad, challenge: u64) -> Expectation {
    let elements = usize::try_from(task.end - task.first).unwrap();
    let mut memory = vec![0.0; space(elements)];
    let mut arrays = Arrays::new(&mut memory, elements).unwrap();
    arrays.fill(task.first);
    arrays.rounds(task.rounds);
    // As the verify call makes them again from memory.
    let arrays = Arrays::new(&mut memory, elements).unwrap();
    let work = (task.end - task.first) * task.rounds;
    Expectation { answer: 24 * work, work, digest: bind(arrays.digest(task.first, task.rounds), challenge) }
}

#[test]
fn agrees_with_the_workers_own_code() {
    for (first, end, rounds) in [(0, 1, 1), (0, 100, 2), (7, 5000, 3), (4096, 9000, 50), (1, 64, 1000)] {
        let task = Triad { first, end, rounds };
        assert_eq!(task.expectation(9), by_worker(task, 9), "{task:?}");
    }
}

#[test]
fn every_round_counts() {
    let of = |rounds| Triad { first: 0, end: 10, rounds }.expectation(0).digest;
    assert_eq!(std::collections::BTreeSet::from_iter((1..=100).map(of)).len(), 100);
}

#[test]
fn elements_stay_finite() {
    assert!((0..100).all(|number| element(number, MOST_ROUNDS).is_finite()));
}

#[test]
fn too_little_memory_is_no_arrays() {
    assert!(Arrays::new(&mut vec![0.0; space(100) - 1], 100).is_none());
}
