//! Whether every CPU that ran a worker reported its gaps. Without them the gate cannot judge what the host did.

use abi::wire::record::{Gap, WorkerEnd, WorkerStatus};

use super::Run;
use crate::gate::facts::Facts;
use crate::gate::reason::ReasonCode;

/// Checks that each worker that is done has exactly one `gap` record, with its CPU, and that there are no others. Needs a
/// log without losses.
pub(in crate::gate) fn gap_records(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    for gap in facts.all::<Gap>() {
        let (case, iter, worker) = (gap.is.case, gap.is.iter, gap.is.worker);
        let is_first = facts.gap(case, iter, worker).is_some_and(|first| first.line == gap.line);
        let wrong = match ended(facts, gap.is) {
            None => Some("the worker did not run".to_owned()),
            Some(_) if !is_first => Some("there already is one".to_owned()),
            Some(end) if end.cpu != gap.is.cpu => {
                Some(format!("it names CPU {}, the worker ran on CPU {}", gap.is.cpu, end.cpu))
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let detail = format!("`gap` of worker {worker} of case {case} iteration {iter}: {wrong}");
            run.add(ReasonCode::InconsistentRecord, gap.line, detail);
        }
    }
    for iteration in &facts.iterations {
        let (case, iter) = (iteration.case, iteration.iter);
        for (&worker, records) in &iteration.workers {
            let Some(end) = records.end.filter(|end| end.is.status == WorkerStatus::Done) else { continue };
            if facts.gap(case, iter, worker).is_none_or(|gap| ended(facts, gap.is).is_none()) {
                let detail = format!("worker {worker} of case {case} iteration {iter} has no `gap`");
                run.add(ReasonCode::InconsistentRecord, end.line, detail);
            }
        }
    }
}

/// The end of the worker that the gap is about. Of several iterations with the same numbers, the last one counts.
fn ended(facts: &Facts, gap: Gap) -> Option<WorkerEnd> {
    let last = facts.iterations_of(gap.case, gap.iter).next_back()?;
    last.workers.get(&gap.worker)?.end.map(|end| end.is)
}
