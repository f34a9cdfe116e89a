//! The registers of every CPU, put into a known state. Only the CPU itself can do it.

use abi::CpuId;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::registers::State;
use harness::x86::features;
use spin::Mutex;

use super::{PATIENCE_US, run_on};
use crate::clock::MachineClock;
use crate::cpu::{Job, PerCpu, registers};

/// Settles the registers of the CPUs that are online. Returns them, by number, without CPUs that did not answer.
#[must_use]
pub fn all(clock: &'static MachineClock) -> Vec<(CpuId, Vec<State>)> {
    let cpus: Vec<_> = PerCpu::online().collect();
    let states: Vec<_> = cpus.iter().map(|cpu| (cpu.id, Vec::new())).collect();
    let states = Arc::new(Mutex::new(states));
    let job: Job = {
        let states = Arc::clone(&states);
        Arc::new(move |id: CpuId| {
            let settled = registers::settle();
            // After XCR0 is what it stays.
            if let Some(cpu) = PerCpu::current() {
                cpu.set_features(features::of_this_cpu());
            }
            if let Some((_, own)) = states.lock().iter_mut().find(|(cpu, _)| *cpu == id) {
                *own = settled;
            }
        })
    };
    run_on(&cpus, clock, PATIENCE_US, &job);
    let mut states = core::mem::take(&mut *states.lock());
    states.retain(|(_, states)| !states.is_empty());
    states
}
