//! Whether the intervals of the CPUs' clock offsets agree with the warp test that found them.

use std::collections::HashSet;

use abi::wire::record::{Offset, WarmUp, Warp};

use super::Run;
use crate::gate::facts::At;
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// Judges the offsets. Needs a log without losses. A log without any is of an older kernel, which had no `warm-up` either,
/// or of one CPU.
pub(in crate::gate) fn offsets(run: &mut Run<'_>) {
    let Some(warp) = run.facts.one::<Warp>().filter(|_| run.whole && !run.refused()) else { return };
    let offsets: Vec<At<Offset>> = run.facts.all::<Offset>().collect();
    if offsets.is_empty() && run.facts.one::<WarmUp>().is_none() {
        return;
    }
    let mut cpus = HashSet::new();
    for At { line, is } in &offsets {
        let Offset { cpu, handovers, least_ns, most_ns } = *is;
        let known = cpu.0 != 0 && run.facts.is_online(cpu.0) && cpus.insert(cpu.0);
        if !known || least_ns > most_ns || handovers < warp.is.least {
            let detail = format!(
                "`offset` of CPU {cpu}: an interval from {least_ns} to {most_ns} ns by {handovers} handovers is not one \
                 that the warp test found"
            );
            run.add(ReasonCode::InconsistentRecord, *line, detail);
        }
    }
    // A CPU that no reading followed has no interval, and then none has the makespan as its basis.
    if warp.is.least > 0 && cpus.len() + 1 < usize::from(warp.is.cpus.min(run.facts.online())) {
        run.add(ReasonCode::EvidenceMissing, warp.line, "CPUs that the warp test tested have no `offset`");
    }
    let Some(khz) = run.facts.khz() else { return };
    let seen = Cycles(warp.is.max_warp).nanos(khz).map_or(u64::MAX, |nanos| nanos.0);
    let least = offsets.iter().map(|at| warped(&at.is)).max().unwrap_or(0);
    // Each bound was rounded outwards.
    if seen.abs_diff(least) > 1 {
        let detail = format!(
            "the warp test saw a reading {seen} ns behind, but by the offsets of the CPUs it was {least} ns"
        );
        run.add(ReasonCode::InconsistentRecord, warp.line, detail);
    }
}

/// By how much at least a clock is ahead or behind, in ns.
fn warped(offset: &Offset) -> u64 {
    offset.least_ns.max(-offset.most_ns).max(0).unsigned_abs()
}
