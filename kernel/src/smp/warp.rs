//! The warp test on every CPU that is online.

use abi::CpuId;
use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::warp::{Warp, WarpTest};

use super::run_on;
use crate::clock::MachineClock;
use crate::control;
use crate::cpu::{Job, PerCpu};

/// How long to wait for the other CPUs, in microseconds. A guest's vCPU may not be scheduled for a while.
const TIMEOUT_US: u64 = 2_000_000;

/// Runs the test.
#[must_use]
pub fn test(clock: &'static MachineClock) -> Warp {
    let cpus: Vec<_> = PerCpu::online().collect();
    let test = Arc::new(WarpTest::new(cpus.iter().map(|cpu| cpu.id)));
    let job: Job = {
        let test = Arc::clone(&test);
        Arc::new(move |cpu: CpuId| test.take_part(cpu, &clock.tsc, control::tsc_ahead(cpu)))
    };
    let lost = run_on(&cpus, clock, TIMEOUT_US, &job);
    test.result(u16::try_from(cpus.len() - lost.len()).unwrap_or(u16::MAX))
}
