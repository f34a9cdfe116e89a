//! The kernel's warp test, on threads: one pinned to each CPU.

use std::thread;

use kernel::clock::Clock;
use kernel::smp::warp::{Shared, Warp};

use crate::cpus::{Cpu, pin};

/// Runs the test on `cpus`.
#[must_use]
pub fn test(cpus: &[Cpu], clock: &Clock) -> Warp {
    let shared = Shared::new(cpus.iter().map(|cpu| cpu.id));
    let take_part = |cpu: &Cpu| {
        let pinned = pin(cpu.linux).is_ok();
        if pinned {
            shared.take_part(cpu.id, clock);
        }
        pinned
    };
    let took_part = thread::scope(|scope| {
        let take_part = &take_part;
        let start = |cpu| thread::Builder::new().spawn_scoped(scope, move || take_part(cpu)).ok();
        let threads: Vec<_> = cpus.iter().filter_map(start).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).filter(|&took_part| took_part).count()
    });
    shared.found(u16::try_from(took_part).unwrap_or(u16::MAX))
}
