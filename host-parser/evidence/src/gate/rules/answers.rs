//! Whether the work was done: every answer must be the reference's, and the splits of every case must make up one whole.

use std::collections::{BTreeMap, BTreeSet};

use abi::wire::record::{self, Split};
use workloads::{Expectation, Workload};

use super::{Known, Run};
use crate::gate::References;
use crate::gate::facts::{At, Facts, params};
use crate::gate::measurement::Scaling;
use crate::gate::reason::ReasonCode;

/// The workload's reference, if there is one.
pub(in crate::gate) fn workload(run: &mut Run<'_>, references: References) -> Option<&'static dyn Workload> {
    let experiment = run.facts.one::<record::Experiment>()?;
    let found = references.find(experiment.is.workload.as_str());
    if found.is_none() {
        let detail = format!("there is no reference for the workload {}", experiment.is.workload);
        run.add(ReasonCode::WorkloadUnknown, experiment.line, detail);
    }
    found
}

/// The splits of a case, by worker.
pub(super) type Splits = BTreeMap<u16, At<Split>>;

/// The whole that the splits of a case make up, or that each of them is. Which of the two it is shows with two workers or
/// more: parts that are alike do not adjoin.
pub(in crate::gate) fn shared_whole(
    splits: &Splits,
    workload: &dyn Workload,
) -> Option<([u64; 4], Option<Scaling>)> {
    let parts: Vec<_> = splits.values().map(|split| params(&split.is)).collect();
    if let Some(whole) = workload.join(&parts) {
        return Some((whole, (parts.len() > 1).then_some(Scaling::Strong)));
    }
    let first = *parts.first()?;
    parts.iter().all(|&part| part == first).then_some((first, Some(Scaling::Weak)))
}

/// The whole of every case, and how it scales; `None` if the cases differ in either.
pub(in crate::gate) fn common_whole(
    facts: &Facts,
    workload: &dyn Workload,
) -> Option<([u64; 4], Option<Scaling>)> {
    let wholes = facts.splits.values().map(|splits| shared_whole(splits, workload));
    wholes.reduce(common)?
}

/// What two cases have in common.
fn common(
    one: Option<([u64; 4], Option<Scaling>)>,
    other: Option<([u64; 4], Option<Scaling>)>,
) -> Option<([u64; 4], Option<Scaling>)> {
    let ((whole, scaling), (other_whole, other_scaling)) = one.zip(other)?;
    let agree = scaling.is_none() || other_scaling.is_none() || scaling == other_scaling;
    (agree && whole == other_whole).then_some((whole, scaling.or(other_scaling)))
}

/// The whole of a case, if there is one within the reference's range.
fn whole(facts: &Facts, case: u16, workload: &dyn Workload) -> Option<[u64; 4]> {
    let splits = facts.splits.get(&case)?;
    let (whole, _) = shared_whole(splits, workload)?;
    (splits.keys().copied().eq(0..case) && workload.check(whole).is_ok()).then_some(whole)
}

/// Judges the splits: one for each worker of a case, and the same whole in all cases and all runs.
pub(in crate::gate) fn plan(run: &mut Run<'_>, workload: &dyn Workload, known: Option<&Known>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    for iteration in facts.iterations.iter().filter(|iteration| !facts.splits.contains_key(&iteration.case)) {
        let detail = format!("case {} ran but has no `split`", iteration.case);
        run.add(ReasonCode::InconsistentRecord, iteration.line, detail);
    }
    for (&case, splits) in &facts.splits {
        let line = splits.values().next().map(|split| split.line);
        if !splits.keys().copied().eq(0..case) {
            let detail = format!("case {case} has {} splits, not one for each worker", splits.len());
            return run.add(ReasonCode::PlanMismatch, line, detail);
        }
        match shared_whole(splits, workload).map(|(whole, _)| workload.check(whole)) {
            Some(Ok(())) => {}
            None => {
                let detail = format!("the splits of case {case} do not join to a whole");
                return run.add(ReasonCode::PlanMismatch, line, detail);
            }
            Some(Err(bad)) => {
                let detail = format!("case {case} has {} out of range, expected {}", bad.key, bad.expected);
                return run.add(ReasonCode::WorkloadUnknown, line, detail);
            }
        }
    }
    match (common_whole(facts, workload), known) {
        _ if facts.splits.is_empty() => {}
        (None, _) => run.add(
            ReasonCode::PlanMismatch,
            None,
            "the splits of different cases make up different wholes, or scale differently",
        ),
        (Some((whole, _)), Some(known)) if whole != known.whole => {
            let detail = format!("the whole is {whole:?}, in the other runs it is {:?}", known.whole);
            run.add(ReasonCode::PlanMismatch, None, detail);
        }
        _ => {}
    }
}

/// Judges the answers. The guest's own check can make a run fail, but never pass.
pub(in crate::gate) fn answers(run: &mut Run<'_>, workload: &dyn Workload) {
    let (facts, challenge) = (run.facts, run.facts.challenge());
    // In a log that was tampered with, splits that make up no whole could take any time to compute.
    let splits = facts.splits.keys();
    let sound: BTreeSet<u16> =
        splits.copied().filter(|&case| whole(facts, case, workload).is_some()).collect();
    let judged = facts.iterations.iter().filter(|iteration| sound.contains(&iteration.case));
    for iteration in judged {
        let mut wrong = false;
        for (&number, records) in &iteration.workers {
            let (Some(given), Some(params)) = (records.answer, facts.params(iteration.case, number)) else {
                continue;
            };
            let expected = workload.expectation(params, challenge);
            let (line, is) = (given.line, given.is);
            let given = Expectation { answer: is.answer, work: is.work, digest: is.digest.0 };
            if given != expected {
                wrong = true;
                let who = format!("worker {number} of case {} iteration {}", iteration.case, iteration.iter);
                let detail = format!("{who} has {}, expected {}", words(given), words(expected));
                run.add(ReasonCode::VerifierMismatch, line, detail);
            }
        }
        let Some(end) = iteration.end else { continue };
        // A guest also reports a case as not verified if it refused a syscall.
        let refused =
            iteration.workers.values().any(|worker| worker.end.is_some_and(|end| end.is.refused > 0));
        if run.whole && !wrong && !refused && !end.is.verified && end.is.done == iteration.case {
            let detail = format!(
                "the answers of case {} are the reference's, but the guest's plan expects others",
                iteration.case
            );
            run.add(ReasonCode::VerifierMismatch, end.line, detail);
        }
    }
}

fn words(Expectation { answer, work, digest }: Expectation) -> String {
    format!("answer {answer} work {work} digest {digest:016x}")
}
