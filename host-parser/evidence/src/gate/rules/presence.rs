//! Whether everything that the rules read is there. A rule that does not find its evidence must not be silent: a log
//! without it does not pass.

use abi::wire::record::{Challenge, Gap, Moment, SecondClock, Warp};

use super::Run;
use crate::gate::facts::{Facts, Iteration};
use crate::gate::reason::ReasonCode;

/// Judges what is missing. Needs a log without losses.
pub(in crate::gate) fn presence(run: &mut Run<'_>) {
    if !run.whole || run.refused() || run.facts.iterations.is_empty() {
        return;
    }
    let facts = run.facts;
    for (name, there) in [
        ("second-clock", facts.one::<SecondClock>().is_some()),
        ("challenge", facts.one::<Challenge>().is_some()),
    ] {
        if !there {
            run.add(ReasonCode::EvidenceMissing, None, format!("the log has no `{name}` record"));
        }
    }
    // What an iteration without an end lacks is a finding already.
    // A log without any `back` is of an older kernel.
    let reads_back = facts.iterations.iter().any(|iteration| iteration.mark(Moment::Back).is_some());
    for iteration in facts.iterations.iter().filter(|iteration| iteration.end.is_some()) {
        readings(run, iteration, reads_back);
    }
    paces(run);
    steal(run);
    warp(run);
}

/// The kernel's own clock readings.
fn readings(run: &mut Run<'_>, iteration: &Iteration, reads_back: bool) {
    for (worker, records) in iteration.workers.iter().filter(|(_, records)| records.is_done()) {
        if records.region.is_none() {
            let detail = format!("{}: worker {worker} has no `region`", iteration.name());
            run.add(ReasonCode::EvidenceMissing, iteration.line, detail);
        }
    }
    let any_done = iteration.has_done();
    let back = reads_back && iteration.all_done();
    let moments =
        [(Moment::Ready, true), (Moment::Warm, any_done), (Moment::Back, back), (Moment::Done, true)];
    for (moment, needed) in moments {
        if needed && iteration.mark(moment).is_none() {
            let detail = format!("{} has no `mark` of the moment `{moment}`", iteration.name());
            run.add(ReasonCode::EvidenceMissing, iteration.line, detail);
        }
    }
    if any_done && iteration.start_tsc == 0 {
        let detail = format!("{}: workers are done, but there was no common start", iteration.name());
        run.add(ReasonCode::EvidenceMissing, iteration.line, detail);
    }
}

/// The pace checks of the workers that are done.
fn paces(run: &mut Run<'_>) {
    let facts = run.facts;
    for gap in facts.all::<Gap>().filter(|gap| is_of_done(facts, gap.is)) {
        let numbers = [
            ("before", gap.is.before),
            ("after", gap.is.after),
            ("reads_before", gap.is.reads_before.into()),
            ("reads_after", gap.is.reads_after.into()),
        ];
        for (name, _) in numbers.into_iter().filter(|&(_, number)| number == 0) {
            let detail = format!(
                "worker {} of case {} iteration {}: `{name}` is 0, so its CPU did no pace check",
                gap.is.worker, gap.is.case, gap.is.iter
            );
            run.add(ReasonCode::EvidenceMissing, gap.line, detail);
        }
    }
}

/// Whether the worker that the gap is about is done.
fn is_of_done(facts: &Facts, gap: Gap) -> bool {
    let mut iterations = facts.iterations_of(gap.case, gap.iter);
    iterations.any(|iteration| iteration.workers.get(&gap.worker).is_some_and(|worker| worker.is_done()))
}

/// A system that reports steal for one worker reports it for all.
fn steal(run: &mut Run<'_>) {
    let facts = run.facts;
    if !facts.all::<Gap>().any(|gap| gap.is.steal_ns.is_some()) {
        return;
    }
    for gap in facts.all::<Gap>().filter(|gap| gap.is.steal_ns.is_none()) {
        let detail = format!(
            "worker {} of case {} iteration {} has no steal time, other workers have one",
            gap.is.worker, gap.is.case, gap.is.iter
        );
        run.add(ReasonCode::EvidenceMissing, gap.line, detail);
    }
}

/// The warp test of a machine with several CPUs read their clocks.
fn warp(run: &mut Run<'_>) {
    let several = run.facts.online() > 1;
    if let Some(warp) = run.facts.one::<Warp>().filter(|warp| several && warp.is.samples == 0) {
        run.add(ReasonCode::EvidenceMissing, warp.line, "the warp test read no clock");
    }
}
