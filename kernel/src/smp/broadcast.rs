//! Gives work to CPUs, and waits until they have finished it or have not in time.

use core::sync::atomic::Ordering;

use abi::CpuId;
use alloc::sync::Arc;
use alloc::vec::Vec;

use crate::clock::MachineClock;
use crate::cpu::idle::wait_until;
use crate::cpu::{Job, PerCpu};
use crate::x86::{apic, vectors};

/// Runs `job` on each of `cpus` at once, this CPU among them or not, and waits for all of them, for at most `timeout_us`
/// after this CPU has finished its own. Returns the CPUs that did not finish. They stay `busy` and get no more work.
pub fn run_on(cpus: &[&'static PerCpu], clock: &MachineClock, timeout_us: u64, job: &Job) -> Vec<CpuId> {
    let here = PerCpu::current().map(|here| here.id);
    for cpu in cpus.iter().filter(|cpu| here != Some(cpu.id)) {
        cpu.busy.store(true, Ordering::Release);
        *cpu.mailbox.lock() = Some(Arc::clone(job));
        apic::send_ipi(cpu.apic_id, vectors::WAKE);
    }
    if let Some(cpu) = cpus.iter().find(|cpu| here == Some(cpu.id)) {
        job(cpu.id);
    }
    wait_until(clock, timeout_us, || !cpus.iter().any(|cpu| is_busy(cpu)));
    cpus.iter().filter(|cpu| is_busy(cpu)).map(|cpu| cpu.id).collect()
}

fn is_busy(cpu: &PerCpu) -> bool {
    cpu.busy.load(Ordering::Acquire)
}
