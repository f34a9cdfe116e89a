//! The program's own patterns, with threads as workers.

use std::sync::Barrier;
use std::thread;

use super::*;
use shared::Pattern;

/// The very file that the programs are built from.
#[path = "../../../programs/src/contention/shared.rs"]
mod shared;

/// What `workers` threads count, which take the turns of the parts of a whole, and what each answers.
fn counted<P: Pattern>(workers: u16, turns: u64, stride: usize) -> u64 {
    let memory = Box::new(shared::Shared::zero());
    let parts = range::split(McsLock { first: 0, end: turns }, workers);
    let barrier = Barrier::new(workers.into());
    thread::scope(|scope| {
        for (worker, part) in parts.iter().enumerate() {
            let (memory, barrier) = (&memory, &barrier);
            scope.spawn(move || {
                memory.claim(worker, part.end - part.first);
                barrier.wait();
                P::turns(memory, worker, part.end - part.first, stride);
            });
        }
    });
    let others: u64 = parts[1..].iter().map(|part| part.end - part.first).sum();
    memory.first_workers_turns::<P>(workers.into(), stride).wrapping_add(others)
}

#[test]
fn no_pattern_loses_a_turn() {
    for workers in [1, 2, 3] {
        assert_eq!(counted::<shared::SharedLine>(workers, 10_000, 0), 10_000, "shared line, {workers}");
        assert_eq!(counted::<shared::TicketLock>(workers, 300, 0), 300, "ticket lock, {workers}");
        assert_eq!(counted::<shared::McsLock>(workers, 300, 0), 300, "MCS lock, {workers}");
        for stride in [8, 64, 256] {
            let counted = counted::<shared::FalseSharing>(workers, 10_000, stride);
            assert_eq!(counted, 10_000, "stride {stride}, {workers}");
        }
    }
}

/// A pattern that loses a turn of worker 1, as a lock that lets two in would.
struct Racing;

impl Pattern for Racing {
    fn turns(shared: &shared::Shared, worker: usize, turns: u64, stride: usize) {
        shared::SharedLine::turns(shared, worker, turns.saturating_sub(u64::from(worker == 1)), stride);
    }
}

#[test]
fn a_lost_turn_is_missing_from_the_answer() {
    assert_eq!(counted::<Racing>(2, 1000, 0), 999);
}

#[test]
fn the_shared_memory_is_as_large_as_stated() {
    assert_eq!(size_of::<shared::Shared>() as u64, SHARED_BYTES);
}
