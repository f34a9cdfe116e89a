//! The warp test on threads, two at a time, pinned to the CPUs of a pair.

use std::thread;

use harness::clock::Clock;
use harness::warp::{PairTest, Warp};

use crate::cpus::{Cpu, pin};

/// Runs the test on `cpus`: each with the one that has the lowest number.
#[must_use]
pub fn test(cpus: &[Cpu], clock: &Clock) -> Warp {
    let mut cpus = cpus.to_vec();
    cpus.sort_unstable_by_key(|cpu| cpu.id);
    let Some((first, others)) = cpus.split_first() else { return Warp::default() };
    let mut warp = Warp { cpus: 1, ..Warp::default() };
    for other in others {
        let test = &PairTest::new(others.len());
        let took_part = thread::scope(|scope| {
            let threads = [(first, false), (other, true)].map(|(cpu, second)| {
                let take_part = move || take_part(test, cpu, second, clock);
                thread::Builder::new().spawn_scoped(scope, take_part).ok()
            });
            threads.map(|thread| thread.and_then(|thread| thread.join().ok()) == Some(true))
        });
        warp.cpus += u16::from(took_part == [true; 2]);
        warp.pairs.push((other.id, test.result()));
    }
    warp
}

/// Takes part on `cpu`, or not if this thread may not run there. Returns whether it did.
fn take_part(test: &PairTest, cpu: &Cpu, second: bool, clock: &Clock) -> bool {
    let pinned = pin(cpu.linux).is_ok();
    if pinned {
        test.take_part(second, clock, 0);
    }
    pinned
}
