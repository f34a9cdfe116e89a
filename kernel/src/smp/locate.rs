//! The place of every CPU. Only the CPU itself can read it.

use abi::{ApicId, CpuId};
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::order::Located;
use harness::x86::topology;
use spin::Mutex;

use super::{PATIENCE_US, run_on};
use crate::clock::MachineClock;
use crate::cpu::{Job, PerCpu};

/// The places of the CPUs that are online, by number, without CPUs that did not answer. `node` returns the proximity
/// domain of an APIC id.
#[must_use]
pub fn all(clock: &'static MachineClock, node: impl Fn(ApicId) -> Option<u32>) -> Vec<Located> {
    let cpus: Vec<_> = PerCpu::online().collect();
    let places = Arc::new(Mutex::new(Vec::with_capacity(cpus.len())));
    let job: Job = {
        let places = Arc::clone(&places);
        Arc::new(move |id: CpuId| {
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
