//! Giving work to CPUs, and getting it back or learning that it did not come back.

use core::sync::atomic::Ordering;

use abi::CpuId;
use alloc::sync::Arc;
use alloc::vec::Vec;

use super::PerCpu;
use super::idle::wait_until;
use crate::clock::Clock;
use crate::x86::apic;
use crate::x86::idt::WAKE_VECTOR;

/// Work for a CPU, which is told its number. Shared, so that a CPU that never comes back keeps what it uses alive.
pub type Job = Arc<dyn Fn(CpuId) + Send + Sync>;

/// Runs `job` on each of `cpus` at once, this one among them or not, and waits for all, for at most `timeout_us`
/// after this CPU is done with its own. Returns those that did not come back; they stay `busy`, and get no more work.
pub fn run_on(cpus: &[&'static PerCpu], clock: &Clock, timeout_us: u64, job: &Job) -> Vec<CpuId> {
    let here = PerCpu::current();
    let is_here = |cpu: &PerCpu| here.is_some_and(|here| here.id == cpu.id);
    for cpu in cpus.iter().filter(|cpu| !is_here(cpu)) {
        cpu.busy.store(true, Ordering::Release);
        *cpu.mailbox.lock() = Some(Arc::clone(job));
        apic::send_ipi(cpu.apic_id, WAKE_VECTOR);
    }
    if let Some(cpu) = cpus.iter().find(|cpu| is_here(cpu)) {
        job(cpu.id);
    }
    let busy = |cpu: &&&PerCpu| cpu.busy.load(Ordering::Acquire);
    wait_until(clock, timeout_us, || !cpus.iter().any(|cpu| busy(&cpu)));
    cpus.iter().filter(busy).map(|cpu| cpu.id).collect()
}
