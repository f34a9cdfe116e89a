//! Whether every CPU that measured reports its gaps: without them there is nothing to judge a host by.

use std::collections::{HashMap, HashSet};

use abi::wire::record::{self, WorkerStatus};

use super::Run;
use crate::gate::facts::Iteration;
use crate::gate::reason::ReasonCode;

/// Judges that each worker that is done has one `gap`, of its CPU, and that nothing else has. Needs a whole stream.
pub(in crate::gate) fn gaps_told(run: &mut Run<'_>) {
    if !run.whole || run.refused() {
        return;
    }
    let facts = run.facts;
    let ran: HashMap<(u16, u16), &Iteration> =
        facts.iterations.iter().map(|iteration| ((iteration.case, iteration.iter), iteration)).collect();
    let mut told = HashSet::new();
    for gap in facts.all::<record::Gap>() {
        let (case, iter, worker) = (gap.is.case, gap.is.iter, gap.is.worker);
        let said = ran.get(&(case, iter)).and_then(|iteration| iteration.workers.get(&worker));
        let ended = said.and_then(|said| said.end).map(|end| end.is);
        let done = ended.is_some_and(|end| end.status == WorkerStatus::Done);
        let wrong = match ended {
            None => Some("which did not run".to_owned()),
            Some(_) if !told.insert((case, iter, worker)) => Some("a second time".to_owned()),
            Some(end) if end.cpu != gap.is.cpu => {
                Some(format!("on CPU {}, which ran on CPU {}", gap.is.cpu, end.cpu))
            }
            Some(_) if done && (gap.is.before == 0 || gap.is.after == 0) => {
                Some("whose CPU did not watch".to_owned())
            }
            Some(_) => None,
        };
        if let Some(wrong) = wrong {
            let detail = format!("a `gap` of worker {worker} of case {case} iteration {iter}, {wrong}");
            run.add(ReasonCode::InconsistentRecord, gap.line, detail);
        }
    }
    for iteration in &facts.iterations {
        let (case, iter) = (iteration.case, iteration.iter);
        for (&worker, said) in &iteration.workers {
            let Some(end) = said.end.filter(|end| end.is.status == WorkerStatus::Done) else { continue };
            if !told.contains(&(case, iter, worker)) {
                let detail = format!("worker {worker} of case {case} iteration {iter} has no `gap`");
                run.add(ReasonCode::InconsistentRecord, end.line, detail);
            }
        }
    }
}
