//! Asking every CPU where it is: only the CPU itself can say.

use abi::ApicId;
use alloc::sync::Arc;
use alloc::vec::Vec;
use spin::Mutex;

use super::order::Located;
use super::{Job, PerCpu, run_on};
use crate::clock::Clock;
use crate::x86::topology;

/// How long a CPU may take to say it: a few dozen CPUIDs, each perhaps an exit to a hypervisor.
const PATIENCE_US: u64 = 1_000_000;

/// Where the CPUs that are online are, by number; without those that did not answer. `node` gives the proximity domain
/// of an APIC id.
#[must_use]
pub fn all(clock: &'static Clock, node: impl Fn(ApicId) -> Option<u32>) -> Vec<Located> {
    let cpus: Vec<_> = PerCpu::online().collect();
    let places = Arc::new(Mutex::new(Vec::with_capacity(cpus.len())));
    let job: Job = {
        let places = Arc::clone(&places);
        Arc::new(move |id| {
            let place = topology::here();
            places.lock().push((id, place));
        })
    };
    run_on(&cpus, clock, PATIENCE_US, &job);
    let mut places = places.lock().clone();
    places.sort_by_key(|&(id, _)| id);
    let located = places.into_iter().filter_map(|(id, place)| {
        let cpu = cpus.iter().find(|cpu| cpu.id == id)?;
        Some(Located { id, place, node: node(cpu.apic_id) })
    });
    located.collect()
}
