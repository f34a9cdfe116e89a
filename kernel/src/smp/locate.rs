//! The place of every CPU. Only the CPU itself can read it.

use abi::{ApicId, CpuId};
use alloc::sync::Arc;
use alloc::vec;
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
    // One entry for each CPU, at its number.
    let places = Arc::new(Mutex::new(vec![None; PerCpu::all().len()]));
    let job: Job = {
        let places = Arc::clone(&places);
        Arc::new(move |id: CpuId| {
            let place = topology::here();
            if let Some(entry) = places.lock().get_mut(usize::from(id.0)) {
                *entry = Some(place);
            }
        })
    };
    run_on(&cpus, clock, PATIENCE_US, &job);
    let places = places.lock().clone();
    let located = cpus.into_iter().filter_map(|cpu| {
        let place = *places.get(usize::from(cpu.id.0))?.as_ref()?;
        Some(Located { id: cpu.id, place, node: node(cpu.apic_id) })
    });
    located.collect()
}
