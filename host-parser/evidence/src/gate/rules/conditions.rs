//! Whether each worker was warmed up as the plan says, and whether its CPU stood still while it was timed.
//!
//! The watch over a timed call comes at long intervals, and each one begins when the one before it has come. So they fill
//! the time of the call: `watches` intervals, each longer by what its interrupt was late, and a rest that is shorter than
//! one more.

use abi::tsc;
use abi::watch::WATCH_US;
use abi::wire::record::{Conditions, Moment, WarmUp, WorkerStatus};

use super::{Run, limits};
use crate::gate::facts::{At, Iteration, WorkerFacts};
use crate::gate::measurement::Cycles;
use crate::gate::reason::ReasonCode;

/// Judges the conditions. Needs a log without losses. A log without any is of an older kernel.
pub(in crate::gate) fn conditions(run: &mut Run<'_>) {
    let warm_up = run.facts.one::<WarmUp>();
    let Some(khz) = run.facts.khz().filter(|_| run.whole && !run.refused()) else { return };
    // What an iteration without an end lacks is a finding already.
    for iteration in run.facts.iterations.iter().filter(|iteration| iteration.end.is_some()) {
        let Some(warm_up) = warm_up else {
            if let Some(at) = iteration.conditions.values().next() {
                let detail = format!("{} has `conditions`, but the log has no `warm-up`", iteration.name());
                run.add(ReasonCode::EvidenceMissing, at.line, detail);
            }
            continue;
        };
        strangers(run, iteration);
        for (&worker, records) in &iteration.workers {
            let done = records.end.is_some_and(|end| end.is.status == WorkerStatus::Done);
            match iteration.conditions.get(&worker) {
                Some(at) if done => {
                    warmed_up(run, iteration, at, warm_up.is.ms, khz);
                    watched(run, iteration, records, at, khz);
                }
                // A record under a wrong number is a finding already.
                None if done && !run.findings.has(ReasonCode::InconsistentRecord) => {
                    let detail = format!("{}: worker {worker} has no `conditions`", iteration.name());
                    run.add(ReasonCode::EvidenceMissing, iteration.line, detail);
                }
                _ => {}
            }
        }
    }
}

/// Conditions of workers that did not run, or not there.
fn strangers(run: &mut Run<'_>, iteration: &Iteration) {
    for (worker, at) in &iteration.conditions {
        let end = iteration.workers.get(worker).and_then(|records| records.end);
        if end.is_none_or(|end| end.is.cpu != at.is.cpu) {
            let detail = format!(
                "{}: `conditions` of worker {worker}, which did not run on this CPU",
                iteration.name()
            );
            run.add(ReasonCode::InconsistentRecord, at.line, detail);
        }
    }
}

/// The warm-up took as long as the plan says, and no longer than there was time for it.
fn warmed_up(run: &mut Run<'_>, iteration: &Iteration, at: &At<Conditions>, ms: u32, khz: u64) {
    let least = tsc::cycles(u64::from(ms) * 1_000, khz);
    let marks = iteration.mark(Moment::Ready).zip(iteration.mark(Moment::Warm));
    let most = marks.and_then(|(ready, warm)| warm.is.tsc.checked_sub(ready.is.tsc)).unwrap_or(u64::MAX);
    if !(least..=most.max(least)).contains(&at.is.warm_up) {
        let detail = format!(
            "{}: the warm-up of worker {} took {} cycles; the plan asks for {least}, and there were {most}",
            iteration.name(),
            at.is.worker,
            at.is.warm_up
        );
        run.add(ReasonCode::InconsistentRecord, at.line, detail);
    }
}

/// The watch covers the worker's time, and did not come much too late.
fn watched(run: &mut Run<'_>, iteration: &Iteration, records: &WorkerFacts, at: &At<Conditions>, khz: u64) {
    let Conditions { worker, cpu, watches, late, .. } = at.is;
    let Some((watches, late)) = watches.zip(late) else {
        if watches.is_some() || late.is_some() {
            let detail = format!("{}: the watch of worker {worker} is half known", iteration.name());
            run.add(ReasonCode::InconsistentRecord, at.line, detail);
        }
        return;
    };
    let late_ms = Cycles(late).nanos(khz).map_or(u64::MAX, |nanos| nanos.0 / 1_000_000);
    if late_ms > limits::STOPPED_MILLIS && !run.is_functional_only() {
        let detail = format!(
            "CPU {cpu} stood still: while worker {worker} of {} was timed, an interrupt of its timer came {late_ms} ms \
             late (limit {} ms)",
            iteration.name(),
            limits::STOPPED_MILLIS
        );
        run.disturb(iteration.iter, ReasonCode::VmStopped, Some(at.line), detail);
    }
    match fills(records, watches, late, khz) {
        Filled::Whole => {}
        // A CPU that was not run takes no interrupt: its call can be over before the timer of a starved VMM fires.
        Filled::Short { .. } if run.is_functional_only() => {}
        Filled::Short { took } => {
            let detail = format!(
                "CPU {cpu} stood still: while worker {worker} of {} was timed, {watches} interrupts of its timer came in \
                 {} ms",
                iteration.name(),
                u64::try_from(took)
                    .ok()
                    .and_then(|took| Cycles(took).nanos(khz))
                    .map_or(u64::MAX, |ns| ns.0 / 1_000_000)
            );
            run.disturb(iteration.iter, ReasonCode::VmStopped, Some(at.line), detail);
        }
        Filled::Over { took } => {
            let detail = format!(
                "{}: worker {worker}: {watches} interrupts of the watch, at most {late} cycles late, are not those of a \
                 call of {took} cycles",
                iteration.name()
            );
            run.add(ReasonCode::InconsistentRecord, at.line, detail);
        }
    }
}

/// How the watch's interrupts fit the time of a call.
enum Filled {
    /// They fill it.
    Whole,
    /// There are too few: the CPU took some of them too late or not at all.
    Short {
        /// What the call took, in cycles.
        took: u128,
    },
    /// There are more than it had time for, or one was late and none came.
    Over {
        /// What the call took, in cycles.
        took: u128,
    },
}

fn fills(records: &WorkerFacts, watches: u32, late: u64, khz: u64) -> Filled {
    let Some(region) = records.region else { return Filled::Whole };
    let took = u128::from(region.is.entered) + u128::from(region.is.returned);
    let (period, count) = (u128::from(tsc::cycles(WATCH_US, khz)), u128::from(watches));
    let tolerance = |cycles: u128| cycles * u128::from(limits::WATCH_PER_MILLE) / 1_000;
    let (least, most) = (count * period, (count + 1) * (period + u128::from(late)));
    if least > took + tolerance(took) || watches == 0 && late != 0 {
        return Filled::Over { took };
    }
    // If the CPU's clock is ahead of the one that set the start, it entered the worker after that start: then the call
    // took less than it seems, and the clocks are judged elsewhere.
    let is_whole = region.is.entered > 0;
    if is_whole && took > most + tolerance(most) { Filled::Short { took } } else { Filled::Whole }
}
