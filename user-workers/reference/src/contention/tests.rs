//! The program's own patterns, with threads as workers.

use std::sync;
use std::thread;

use super::*;
use crate::range;
use shared::Pattern;

/// The very file that the programs are built from.
#[path = "../../../programs/src/contention/shared.rs"]
mod shared;

/// What `workers` threads count, which take the turns of the parts of a whole, and what each answers.
fn counted<P: Pattern>(workers: u16, turns: u64, stride: usize) -> u64 {
    let memory = Box::new(shared::Shared::zero());
    let parts = range::split(&McsLock { first: 0, end: turns }, workers);
    let barrier = sync::Barrier::new(workers.into());
    thread::scope(|scope| {
        for (worker, part) in parts.iter().enumerate() {
            let (memory, barrier) = (&memory, &barrier);
            let of = workers.into();
            scope.spawn(move || {
                memory.claim(worker, part.end - part.first);
                barrier.wait();
                P::turns(memory, shared::Worker { number: worker, of }, part.end - part.first, stride);
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
        assert_eq!(counted::<shared::Barrier>(workers, 100, 0), 100, "barrier, {workers}");
        for stride in [8, 64, 256] {
            let counted = counted::<shared::FalseSharing>(workers, 10_000, stride);
            assert_eq!(counted, 10_000, "stride {stride}, {workers}");
        }
    }
}

/// A pattern that loses a turn of worker 1, as a lock that lets two in would.
struct Racing;

impl Pattern for Racing {
    fn turns(shared: &shared::Shared, worker: shared::Worker, turns: u64, stride: usize) {
        let fewer = turns.saturating_sub(u64::from(worker.number == 1));
        shared::SharedLine::turns(shared, worker, fewer, stride);
    }
}

#[test]
fn a_lost_turn_is_missing_from_the_answer() {
    assert_eq!(counted::<Racing>(2, 1000, 0), 999);
}

#[test]
fn a_crossing_counts_once_the_next_worker_has_arrived() {
    let memory = shared::Shared::zero();
    let [one, other] = [0, 1].map(|number| shared::Worker { number, of: 2 });
    memory.claim(0, 3);
    memory.claim(1, 3);
    memory.arrive(one, 0, false);
    assert!(!memory.next_has_arrived(one, 0), "the other is not there yet");
    memory.arrive(other, 0, false);
    // Ends: both are there.
    memory.wait(0);
    assert!(memory.next_has_arrived(one, 0) && memory.next_has_arrived(other, 0));
    assert!(!memory.next_has_arrived(one, 1), "at the crossing after that it is not");
}

#[test]
fn the_shared_memory_is_as_large_as_stated() {
    assert_eq!(size_of::<shared::Shared>() as u64, SHARED_BYTES);
}
