//! The warp test on threads, one pinned to each CPU.

use std::thread;

use harness::clock::Clock;
use harness::warp::{Warp, WarpTest};

use crate::cpus::{Cpu, pin};

/// Runs the test on `cpus`.
#[must_use]
pub fn test(cpus: &[Cpu], clock: &Clock) -> Warp {
    let test = WarpTest::new(cpus.iter().map(|cpu| cpu.id));
    let took_part = thread::scope(|scope| {
        let threads: Vec<_> = cpus
            .iter()
            .filter_map(|cpu| {
                thread::Builder::new().spawn_scoped(scope, || take_part(&test, cpu, clock)).ok()
            })
            .collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|&took_part| took_part).count()
    });
    test.result(u16::try_from(took_part).unwrap_or(u16::MAX))
}

/// Takes part on `cpu`, or not if this thread may not run there. Returns whether it did.
fn take_part(test: &WarpTest, cpu: &Cpu, clock: &Clock) -> bool {
    let pinned = pin(cpu.linux).is_ok();
    if pinned {
        test.take_part(cpu.id, clock, 0);
    }
    pinned
}
