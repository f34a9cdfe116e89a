//! Whether the host disturbed the guest while it was measured. The evidence is the scheduler's account of the vCPUs'
//! threads, the gaps that the guest's CPUs saw, and the hypervisor's account of stolen time (in the native row, the
//! scheduler's account of the worker). The result itself is never evidence.

use std::collections::HashMap;

use abi::wire::record::{self, Gap, SystemName};

use super::{Run, elapsed, exceeds, limit_of, limits};
use crate::gate::evidence::VcpuDelay;
use crate::gate::facts::Iteration;
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;
use crate::gate::verdict::Finding;

/// The scheduler's accounts, by case and iteration.
type Accounts<'a> = HashMap<(u16, u16), Vec<&'a VcpuDelay>>;

/// Judges what the host did.
pub(in crate::gate) fn host(run: &mut Run<'_>) {
    if run.is_functional_only() {
        return;
    }
    unaccounted(run);
    delays(run);
    gaps(run);
    steal(run);
    host_steal(run);
    too_many(run);
}

/// If more than half of the iterations are disturbed, the others would be a selection: then the run does not pass. The last
/// of the rules that disturb iterations.
fn too_many(run: &mut Run<'_>) {
    if 2 * run.disturbed.len() > run.iterations() {
        for Finding { reason, line, detail } in std::mem::take(run.disturbed).into_values().flatten() {
            run.findings.add(reason, line, detail);
        }
    }
}

/// If the scheduler's account is missing, or cannot be that of the measured time, the watcher itself may have waited for a
/// CPU, or the guest may not report how long it measured. Neither can be distinguished from a disturbance.
fn unaccounted(run: &mut Run<'_>) {
    // Without `case-ready` there is nothing to watch. That is the guest's error, and another rule finds it.
    let mut accounts: Accounts<'_> = HashMap::new();
    for delay in &run.evidence.delays {
        accounts.entry((delay.case, delay.iteration)).or_default().push(delay);
    }
    for iteration in run.facts.iterations.iter().filter(|iteration| iteration.ready.is_some()) {
        let seen = accounts.get(&(iteration.case, iteration.iter)).map_or(&[][..], Vec::as_slice);
        if let Some(why) = account_problem(run, iteration, seen) {
            let detail = format!("case {} iteration {}: {why}", iteration.case, iteration.iter);
            run.disturb(iteration.iter, ReasonCode::VcpuPreempted, None, detail);
        }
    }
}

/// What is wrong with the scheduler's account of an iteration, if anything.
fn account_problem(run: &Run<'_>, iteration: &Iteration, seen: &[&VcpuDelay]) -> Option<String> {
    let vcpus = run.evidence.vcpus.map_or(0, usize::from);
    if run.evidence.watched && seen.len() < vcpus {
        Some(format!("the host has an account of {} of the {vcpus} vCPUs", seen.len()))
    } else if run.whole {
        elapsed::unaccounted(run, iteration, seen)
    } else {
        None
    }
}

fn delays(run: &mut Run<'_>) {
    for delay in &run.evidence.delays {
        let (waited, wall) = (delay.delay_ns, delay.wall_ns);
        if waited > limits::DELAY_MICROS * 1_000 && exceeds(waited, limits::DELAY_PER_MILLE, wall) {
            let limit = limit_of(limits::DELAY_PER_MILLE, wall, limits::DELAY_MICROS * 1_000);
            let detail = format!(
                "vCPU {} waited {} us for a host CPU during the {} us of case {} iteration {} (limit {} us)",
                delay.vcpu,
                waited / 1_000,
                wall / 1_000,
                delay.case,
                delay.iteration,
                limit / 1_000
            );
            if run.facts.iteration(delay.case, delay.iteration).is_some() {
                run.disturb(delay.iteration, ReasonCode::VcpuPreempted, None, detail);
            } else {
                // The guest did not finish the iteration, perhaps because of this wait. There is nothing to exclude.
                run.add(ReasonCode::VcpuPreempted, None, detail);
            }
        }
    }
}

fn gaps(run: &mut Run<'_>) {
    let Some(khz) = run.facts.one::<record::Tsc>().map(|tsc| tsc.is.khz).filter(|&khz| khz > 0) else {
        return;
    };
    let limit = khz.saturating_mul(limits::GAP_MICROS) / 1_000;
    for gap in run.facts.all::<Gap>() {
        let longest = gap.is.before.max(gap.is.after);
        if longest > limit {
            let when = if gap.is.before > limit { "before" } else { "after" };
            let detail = format!(
                "CPU {} had a gap of {longest} cycles just {when} worker {} of case {} iteration {} (limit {limit})",
                gap.is.cpu, gap.is.worker, gap.is.case, gap.is.iter
            );
            run.disturb(gap.is.iter, ReasonCode::VcpuPreempted, Some(gap.line), detail);
        }
    }
}

/// The guest's own account of stolen time counts only if no host watched. Not every guest has one: under KVM our kernel
/// has, the Linux guest that is compared with it has not. Where the host watched, its scheduler's account of the vCPUs'
/// threads judges all of them alike, and KVM's account is made from that. A native worker's account is the scheduler's, and
/// has the limits of a vCPU's.
fn steal(run: &mut Run<'_>) {
    let native = run.facts.one::<record::System>().is_some_and(|system| system.is.name == SystemName::Native);
    if run.evidence.watched && !native {
        return;
    }
    let Some(khz) = run.facts.one::<record::Tsc>().map(|tsc| tsc.is.khz).filter(|&khz| khz > 0) else {
        return;
    };
    for gap in run.facts.all::<Gap>() {
        let iteration = run.facts.iteration(gap.is.case, gap.is.iter);
        let timing = iteration.and_then(|i| i.workers.get(&gap.is.worker)?.timing);
        let (Some(stolen), Some(timing)) = (gap.is.steal_ns, timing) else { continue };
        let took = Cycles(timing.is.cycles).nanos(khz).map_or(u64::MAX, |nanos| nanos.0);
        let (per_mille, floor) = steal_limits(native);
        if stolen > floor && exceeds(stolen, per_mille, took) {
            let (reason, detail) = stolen_from(&gap.is, native, stolen, took);
            run.disturb(gap.is.iter, reason, Some(gap.line), detail);
        }
    }
}

/// How much of a worker's time may be taken from its CPU: a part in thousandths, and a time in ns.
const fn steal_limits(native: bool) -> (u64, u64) {
    if native {
        (limits::DELAY_PER_MILLE, limits::DELAY_MICROS * 1_000)
    } else {
        (limits::STEAL_PER_MILLE, 0)
    }
}

/// The reason and the detail for a worker that took `took` ns, and whose CPU lost `stolen` ns of it. In the native row
/// that is the scheduler's account of the process: how long it was ready to run and waited.
fn stolen_from(gap: &Gap, native: bool, stolen: u64, took: u64) -> (ReasonCode, String) {
    let (cpu, worker, case, iter) = (gap.cpu, gap.worker, gap.case, gap.iter);
    let (per_mille, floor) = steal_limits(native);
    let limit = limit_of(per_mille, took, floor) / 1_000;
    let (stolen, took) = (stolen / 1_000, took / 1_000);
    let during = format!("during the {took} us of case {case} iteration {iter} (limit {limit} us)");
    if native {
        let detail = format!("worker {worker} waited {stolen} us for host CPU {cpu} {during}");
        (ReasonCode::VcpuPreempted, detail)
    } else {
        let detail = format!("the hypervisor took {stolen} us from CPU {cpu} of worker {worker} {during}");
        (ReasonCode::Steal, detail)
    }
}

/// If the host is itself a guest, time taken from its CPUs was taken from what ran on them.
fn host_steal(run: &mut Run<'_>) {
    let Some(steal) = run.evidence.host_steal else { return };
    let noticed = steal.stolen_ms > limits::HOST_STEAL_MILLIS;
    if noticed && exceeds(steal.stolen_ms, limits::STEAL_PER_MILLE, steal.wall_ms) {
        let detail = format!(
            "the hypervisor under the host took {} ms from host CPU {} during {} ms of measurements (limit {} ms)",
            steal.stolen_ms,
            steal.cpu,
            steal.wall_ms,
            limit_of(limits::STEAL_PER_MILLE, steal.wall_ms, limits::HOST_STEAL_MILLIS)
        );
        run.findings.add(ReasonCode::Steal, None, detail);
    }
}
