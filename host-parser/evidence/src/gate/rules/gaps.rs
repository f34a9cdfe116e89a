//! Whether every CPU that ran a worker reported its gaps. Without them the gate cannot judge what the host did.

use std::collections::{HashMap, HashSet};

use abi::wire::record::{self, WorkerStatus};

use super::Run;
use crate::gate::facts::Iteration;
use crate::gate::reason::ReasonCode;

/// Checks that each worker that is done has exactly one `gap` record, with its CPU, and that there are no others. Needs a
/// log without losses.
pub(in crate::gate) fn gap_records(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    let ran: HashMap<(u16, u16), &Iteration> =
        facts.iterations.iter().map(|iteration| ((iteration.case, iteration.iter), iteration)).collect();
    let mut reported = HashSet::new();
    for gap in facts.all::<record::Gap>() {
        let (case, iter, worker) = (gap.is.case, gap.is.iter, gap.is.worker);
        let records = ran.get(&(case, iter)).and_then(|iteration| iteration.workers.get(&worker));
        let ended = records.and_then(|records| records.end).map(|end| end.is);
        let wrong = match ended {
            None => Some("the worker did not run".to_owned()),
            Some(_) if !reported.insert((case, iter, worker)) => Some("there already is one".to_owned()),
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
            if !reported.contains(&(case, iter, worker)) {
                let detail = format!("worker {worker} of case {case} iteration {iter} has no `gap`");
                run.add(ReasonCode::InconsistentRecord, end.line, detail);
            }
        }
    }
}
