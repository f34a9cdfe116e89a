//! Whether the work was done: every answer against the reference, and every case against one whole.

use abi::wire::record;
use workloads::{Expectation, Workload};

use super::{Known, Run};
use crate::gate::Lookup;
use crate::gate::facts::{Facts, params};
use crate::gate::reason::ReasonCode;

/// The workload's reference, if there is one.
pub(in crate::gate) fn workload(run: &mut Run<'_>, lookup: Lookup) -> Option<&'static dyn Workload> {
    let experiment = run.facts.one::<record::Experiment>()?;
    let found = lookup(experiment.is.workload.as_str());
    if found.is_none() {
        run.add(ReasonCode::WorkloadUnknown, experiment.line, experiment.is.workload.to_string());
    }
    found
}

/// The whole that the splits of every case make up; `None` if they do not.
pub(in crate::gate) fn common_whole(facts: &Facts, workload: &dyn Workload) -> Option<[u64; 4]> {
    let mut wholes = facts.splits.values().map(|splits| {
        let parts: Vec<_> = splits.values().map(|split| params(&split.is)).collect();
        workload.join(&parts)
    });
    let first = wholes.next()??;
    wholes.all(|whole| whole == Some(first)).then_some(first)
}

/// The whole that the splits of a case make up, if there is one that the reference can work out.
fn whole(facts: &Facts, case: u16, workload: &dyn Workload) -> Option<[u64; 4]> {
    let splits = facts.splits.get(&case)?;
    let parts: Vec<_> = splits.values().map(|split| params(&split.is)).collect();
    let whole = workload.join(&parts)?;
    (splits.keys().copied().eq(0..case) && workload.check(whole).is_ok()).then_some(whole)
}

/// Judges the parts: as many as the case has workers, and the same whole for all cases and all runs.
pub(in crate::gate) fn plan(run: &mut Run<'_>, workload: &dyn Workload, known: Option<&Known>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    for iteration in facts.iterations.iter().filter(|iteration| !facts.splits.contains_key(&iteration.case)) {
        let detail = format!("case {} ran and has no `split`", iteration.case);
        run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
    }
    for (&case, splits) in &facts.splits {
        let line = splits.values().next().map(|split| split.line);
        if !splits.keys().copied().eq(0..case) {
            return run.add(
                ReasonCode::PlanMismatch,
                line,
                format!("case {case} has {} splits", splits.len()),
            );
        }
        let parts: Vec<_> = splits.values().map(|split| params(&split.is)).collect();
        match workload.join(&parts).map(|whole| workload.check(whole)) {
            Some(Ok(())) => {}
            None => {
                let detail = format!("the splits of case {case} are no partition");
                return run.add(ReasonCode::PlanMismatch, line, detail);
            }
            Some(Err(bad)) => {
                let detail = format!("case {case}: {}: expected {}", bad.key, bad.expected);
                return run.add(ReasonCode::WorkloadUnknown, line, detail);
            }
        }
    }
    match (common_whole(facts, workload), known) {
        _ if facts.splits.is_empty() => {}
        (None, _) => run.add(ReasonCode::PlanMismatch, None, "the cases do not make up the same whole"),
        (Some(whole), Some(known)) if whole != known.whole => {
            let detail = format!("the whole is {whole:?}, that of the other runs {:?}", known.whole);
            run.add(ReasonCode::PlanMismatch, None, detail);
        }
        _ => {}
    }
}

/// Judges the answers. The guest's own verdict counts only against it.
pub(in crate::gate) fn answers(run: &mut Run<'_>, workload: &dyn Workload) {
    let facts = run.facts;
    // Parts that make up no whole, in a log that was tampered with, could cost any time to work out.
    let judged = facts.iterations.iter().filter(|i| whole(facts, i.case, workload).is_some());
    for iteration in judged {
        let mut wrong = false;
        for (&number, said) in &iteration.workers {
            let (Some(given), Some(params)) = (said.answer, facts.params(iteration.case, number)) else {
                continue;
            };
            let expected = workload.expectation(params);
            let (line, is) = (given.line, given.is);
            let given = Expectation { answer: is.answer, work: is.work, digest: is.digest.0 };
            if given != expected {
                wrong = true;
                let who = format!("worker {number} of case {} iteration {}", iteration.case, iteration.iter);
                let detail = format!("{who}: {}, expected {}", words(given), words(expected));
                run.add(ReasonCode::VerifierMismatch, line, detail);
            }
        }
        let Some(end) = iteration.end else { continue };
        // To the guest a refused syscall is reason enough.
        let refused = iteration.workers.values().any(|said| said.end.is_some_and(|end| end.is.refused > 0));
        if run.whole && !wrong && !refused && !end.is.verified && end.is.done == iteration.case {
            let detail = format!("case {}: the guest's plan expects other answers", iteration.case);
            run.add(ReasonCode::VerifierMismatch, end.line, detail);
        }
    }
}

fn words(Expectation { answer, work, digest }: Expectation) -> String {
    format!("answer {answer} work {work} digest {digest:016x}")
}
