//! The warp test on every CPU that is online: each with this one, one after the other.

use alloc::sync::Arc;
use alloc::vec::Vec;
use harness::warp::{PairTest, Warp};

use super::{PATIENCE_US, run_on};
use crate::clock::MachineClock;
use crate::control;
use crate::cpu::{Job, PerCpu};

/// Runs the test.
#[must_use]
pub fn test(clock: &'static MachineClock) -> Warp {
    let here = PerCpu::current();
    let is_here = |cpu: &PerCpu| here.is_some_and(|here| here.id == cpu.id);
    let (first, others): (Vec<_>, Vec<_>) = PerCpu::online().partition(|&cpu| is_here(cpu));
    let mut warp = Warp { cpus: u16::try_from(first.len()).unwrap_or(u16::MAX), ..Warp::default() };
    for &cpu in &others {
        let test = Arc::new(PairTest::new(others.len()));
        let job: Job = {
            let test = Arc::clone(&test);
            Arc::new(move |id| test.take_part(id == cpu.id, &clock.tsc, control::tsc_ahead(id)))
        };
        let pair: Vec<_> = first.iter().copied().chain([cpu]).collect();
        if run_on(&pair, clock, PATIENCE_US, &job).is_empty() {
            warp.cpus += 1;
        }
        warp.pairs.push((cpu.id, test.result()));
    }
    warp
}
