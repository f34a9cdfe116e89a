//! What the workers' CPUs counted: system-management interrupts, which take a CPU away unseen, and the effective clock.

use abi::wire::record::{Counters, WorkerStatus};

use super::{Run, exceeds, limits};
use crate::gate::facts::{Facts, Iteration};
use crate::gate::reason::ReasonCode;

/// Judges the counters. Needs a log without losses. Whether a CPU has them is its own matter, but if one worker has them,
/// all have.
pub(in crate::gate) fn counters(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    let known = |what: fn(&Counters) -> bool| {
        facts.iterations.iter().flat_map(|iteration| iteration.counters.values()).any(|at| what(&at.is))
    };
    let any = facts.iterations.iter().any(|iteration| !iteration.counters.is_empty());
    let smis = known(|counters| counters.smis.is_some());
    for iteration in facts.iterations.iter().filter(|iteration| any && iteration.end.is_some()) {
        for (worker, at) in &iteration.counters {
            let end = iteration.workers.get(worker).and_then(|records| records.end);
            let stranger = end.is_none_or(|end| end.is.cpu != at.is.cpu);
            if stranger || at.is.aperf.is_some() != at.is.mperf.is_some() {
                let detail = format!(
                    "{}: `counters` of worker {worker} are not those of its CPU, or lack one of APERF and MPERF",
                    iteration.name()
                );
                run.add(ReasonCode::InconsistentRecord, at.line, detail);
            }
            if at.is.smis.is_some_and(|smis| smis > 0) {
                let detail = format!(
                    "{} system-management interrupts on CPU {} while it ran worker {worker} of {}",
                    at.is.smis.unwrap_or(0),
                    at.is.cpu,
                    iteration.name()
                );
                run.disturb(iteration.iter, ReasonCode::Smi, Some(at.line), detail);
            }
        }
        missing(run, iteration, smis);
    }
}

/// The counters of workers that are done.
fn missing(run: &mut Run<'_>, iteration: &Iteration, smis: bool) {
    // A record under a wrong number is a finding already.
    if run.findings.has(ReasonCode::InconsistentRecord) {
        return;
    }
    for (worker, records) in &iteration.workers {
        let done = records.end.is_some_and(|end| end.is.status == WorkerStatus::Done);
        let counters = iteration.counters.get(worker);
        if done && (counters.is_none() || smis && counters.is_some_and(|at| at.is.smis.is_none())) {
            let detail =
                format!("{}: worker {worker} lacks counters that other workers have", iteration.name());
            run.add(ReasonCode::EvidenceMissing, iteration.line, detail);
        }
    }
}

/// The effective clock of a worker's CPU, in kHz: the TSC's frequency times APERF by MPERF. `None` if it is not known, or if
/// MPERF did not count at the TSC's rate: then a hypervisor stands between.
pub(in crate::gate) fn effective_khz(facts: &Facts, iteration: &Iteration, worker: u16) -> Option<u64> {
    let counters = iteration.counters.get(&worker)?.is;
    let (aperf, mperf, khz) = (counters.aperf?, counters.mperf.filter(|&mperf| mperf > 0)?, facts.khz()?);
    let region = iteration.workers.get(&worker)?.region?.is;
    let took = region.entered.saturating_add(region.returned);
    if exceeds(mperf.abs_diff(took), limits::MPERF_PER_MILLE, took) {
        return None;
    }
    u64::try_from(u128::from(khz) * u128::from(aperf) / u128::from(mperf)).ok()
}
