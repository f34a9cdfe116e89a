//! What became of each worker.

use abi::wire::record::{WorkerEnd, WorkerStatus};

use super::Run;
use crate::gate::facts::{At, WorkerFacts};
use crate::gate::reason::ReasonCode;

/// Judges how the workers ended.
pub(in crate::gate) fn workers(run: &mut Run<'_>) {
    let quiet = run.facts.promises_quiet();
    for iteration in &run.facts.iterations {
        for (&number, said) in &iteration.workers {
            let who = format!("worker {number} of case {} iteration {}", iteration.case, iteration.iter);
            fate(run, &who, said);
            if let Some(end) = said.end {
                authority(run, &who, end);
            }
            if let Some(timing) = said.timing.filter(|timing| quiet && timing.is.irqs > 0) {
                let detail = format!("{who}: {} interrupts on CPU {}", timing.is.irqs, timing.is.cpu);
                run.add(ReasonCode::Interrupted, timing.line, detail);
            }
        }
    }
}

fn fate(run: &mut Run<'_>, who: &str, said: &WorkerFacts) {
    if let Some(fault) = said.fault {
        let fault = (fault.line, fault.is);
        let (line, fault) = fault;
        let detail = format!(
            "{who}: {} at {} (error {}, address {})",
            fault.exception, fault.rip, fault.error, fault.address
        );
        run.add(ReasonCode::WorkerFault, line, detail);
    }
    let Some(end) = said.end else { return };
    let cpu = end.is.cpu;
    match end.is.status {
        WorkerStatus::Done => {}
        WorkerStatus::Fault if said.fault.is_some() => {}
        WorkerStatus::Fault => run.add(ReasonCode::WorkerFault, end.line, format!("{who} on CPU {cpu}")),
        WorkerStatus::Timeout => run.add(ReasonCode::WorkerTimeout, end.line, format!("{who} on CPU {cpu}")),
        WorkerStatus::Incomplete => {
            run.add(ReasonCode::WorkerIncomplete, end.line, format!("{who} on CPU {cpu}"));
        }
        WorkerStatus::Lost => run.add(ReasonCode::WorkerLost, end.line, format!("{who} on CPU {cpu}")),
    }
}

fn authority(run: &mut Run<'_>, who: &str, end: At<WorkerEnd>) {
    if end.is.refused > 0 {
        let detail =
            format!("{who}: {} refused, the first was syscall {}", end.is.refused, end.is.first_refused);
        run.add(ReasonCode::AuthorityExceeded, end.line, detail);
    }
}
