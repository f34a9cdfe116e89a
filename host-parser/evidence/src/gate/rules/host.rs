//! Whether the host left the guest alone while it was measured. The evidence is the scheduler's account of the vCPUs'
//! threads, the gaps that the guest's CPUs saw, and the hypervisor's account of stolen time (natively the scheduler's
//! of the worker); never the result itself.

use abi::wire::record::{self, SystemName};

use super::{Run, exceeds, limits, passed};
use crate::gate::evidence::VcpuDelay;
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;
use crate::gate::verdict::Finding;

/// Judges the host.
pub(in crate::gate) fn host(run: &mut Run<'_>) {
    if run.waits_by_nature() {
        return;
    }
    unaccounted(run);
    delays(run);
    gaps(run);
    steal(run);
    host_steal(run);
    too_many(run);
}

/// If more iterations are excluded than are left, the rest would be a selection: the run is refused.
fn too_many(run: &mut Run<'_>) {
    if 2 * run.disturbed.len() > run.iterations() {
        for Finding { reason, line, detail } in std::mem::take(run.disturbed).into_values().flatten() {
            run.findings.add(reason, line, detail);
        }
    }
}

/// An account that is missing, or cannot be of the measured time, may mean that the watcher itself waited for a CPU, or
/// that the guest does not report how long it measured. Neither can be distinguished from a disturbance.
fn unaccounted(run: &mut Run<'_>) {
    let vcpus = run.evidence.vcpus.map_or(0, usize::from);
    // Without `case-ready` there is nothing to watch. That is the guest's fault, and another rule finds it.
    for iteration in run.facts.iterations.iter().filter(|iteration| iteration.ready.is_some()) {
        let of_it = |delay: &&VcpuDelay| (delay.case, delay.iteration) == (iteration.case, iteration.iter);
        let seen: Vec<&VcpuDelay> = run.evidence.delays.iter().filter(of_it).collect();
        let why = if run.evidence.watched && seen.len() < vcpus {
            Some(format!("of {vcpus} vCPUs {} could be accounted for", seen.len()))
        } else if run.whole {
            passed::unaccounted(run, iteration, &seen)
        } else {
            None
        };
        if let Some(why) = why {
            let detail = format!("case {} iteration {}: {why}", iteration.case, iteration.iter);
            run.note(iteration.iter, ReasonCode::VcpuPreempted, None, detail);
        }
    }
}

fn delays(run: &mut Run<'_>) {
    for delay in &run.evidence.delays {
        let (waited, wall) = (delay.delay_ns, delay.wall_ns);
        if waited > limits::DELAY_MICROS * 1_000 && exceeds(waited, limits::DELAY_PER_MILLE, wall) {
            let detail = format!(
                "vCPU {} waited {} us for a host CPU in the {} us of case {} iteration {}",
                delay.vcpu,
                waited / 1_000,
                wall / 1_000,
                delay.case,
                delay.iteration
            );
            if run.facts.iterations.iter().any(|it| (it.case, it.iter) == (delay.case, delay.iteration)) {
                run.note(delay.iteration, ReasonCode::VcpuPreempted, None, detail);
            } else {
                // The guest did not get to its end, and this may be why: nothing is set aside with it.
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
    for gap in run.facts.all::<record::Gap>() {
        let longest = gap.is.before.max(gap.is.after);
        if longest > limit {
            let when = if gap.is.before > limit { "before" } else { "after" };
            let detail = format!(
                "CPU {} lost {longest} cycles at once just {when} worker {} of case {}",
                gap.is.cpu, gap.is.worker, gap.is.case
            );
            run.note(gap.is.iter, ReasonCode::VcpuPreempted, Some(gap.line), detail);
        }
    }
}

fn steal(run: &mut Run<'_>) {
    let Some(khz) = run.facts.one::<record::Tsc>().map(|tsc| tsc.is.khz).filter(|&khz| khz > 0) else {
        return;
    };
    for gap in run.facts.all::<record::Gap>() {
        let iteration = run.facts.iterations.iter().find(|i| (i.case, i.iter) == (gap.is.case, gap.is.iter));
        let timing = iteration.and_then(|i| i.workers.get(&gap.is.worker)?.timing);
        let (Some(stolen), Some(timing)) = (gap.is.steal_ns, timing) else { continue };
        let took = Cycles(timing.is.cycles).nanos(khz).map_or(u64::MAX, |nanos| nanos.0);
        if exceeds(stolen, limits::STEAL_PER_MILLE, took) {
            let (stolen, took) = (stolen / 1_000, took / 1_000);
            let (cpu, worker) = (gap.is.cpu, gap.is.worker);
            let native =
                run.facts.one::<record::System>().is_some_and(|system| system.is.name == SystemName::Native);
            // A process's account is its own scheduler's: how long it could have run and did not.
            let (reason, detail) = if native {
                let detail =
                    format!("worker {worker} waited {stolen} us for host CPU {cpu} in its {took} us");
                (ReasonCode::VcpuPreempted, detail)
            } else {
                let detail = format!(
                    "the hypervisor took {stolen} us from CPU {cpu} around the {took} us of worker {worker}"
                );
                (ReasonCode::Steal, detail)
            };
            run.note(gap.is.iter, reason, Some(gap.line), detail);
        }
    }
}

/// A host that is a guest itself: what was taken from its CPUs was taken from whatever ran on them.
fn host_steal(run: &mut Run<'_>) {
    let Some(steal) = run.evidence.host_steal else { return };
    let noticed = steal.stolen_ms > limits::HOST_STEAL_MILLIS;
    if noticed && exceeds(steal.stolen_ms, limits::STEAL_PER_MILLE, steal.wall_ms) {
        let detail = format!(
            "the hypervisor under the host took {} ms from host CPU {} in {} ms of measuring",
            steal.stolen_ms, steal.cpu, steal.wall_ms
        );
        run.findings.add(ReasonCode::Steal, None, detail);
    }
}
