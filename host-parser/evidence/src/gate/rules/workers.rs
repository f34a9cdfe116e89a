//! How each worker ended.

use std::fmt;

use abi::wire::record::{WorkerEnd, WorkerStatus};

use super::Run;
use crate::gate::facts::{At, WorkerFacts};
use crate::gate::reason::ReasonCode;

/// Judges how the workers ended.
pub(in crate::gate) fn workers(run: &mut Run<'_>) {
    let masked = run.facts.masks_interrupts();
    for iteration in &run.facts.iterations {
        for (&number, records) in &iteration.workers {
            let who = Who { worker: number, case: iteration.case, iter: iteration.iter };
            status(run, who, records);
            if let Some(end) = records.end {
                authority(run, who, end);
            }
            if let Some(timing) = records.timing.filter(|timing| masked && timing.is.irqs > 0) {
                let detail = format!("{who}: CPU {} took {} interrupts", timing.is.cpu, timing.is.irqs);
                run.add(ReasonCode::Interrupted, timing.line, detail);
            }
        }
    }
}

/// A worker, as the details of findings name it. They are made only if there is a finding.
#[derive(Clone, Copy)]
struct Who {
    worker: u16,
    case: u16,
    iter: u16,
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {} of case {} iteration {}", self.worker, self.case, self.iter)
    }
}

fn status(run: &mut Run<'_>, who: Who, records: &WorkerFacts) {
    if let Some(At { line, is: fault }) = records.fault {
        let detail = format!(
            "{who}: {} at {} (error {}, address {})",
            fault.exception, fault.rip, fault.error, fault.address
        );
        run.add(ReasonCode::WorkerFault, line, detail);
    }
    let Some(end) = records.end else { return };
    let cpu = end.is.cpu;
    match end.is.status {
        WorkerStatus::Done => {}
        WorkerStatus::Fault if records.fault.is_some() => {}
        WorkerStatus::Fault => {
            run.add(ReasonCode::WorkerFault, end.line, format!("{who} faulted on CPU {cpu}"));
        }
        WorkerStatus::Timeout => {
            run.add(ReasonCode::WorkerTimeout, end.line, format!("{who} timed out on CPU {cpu}"));
        }
        WorkerStatus::Incomplete => {
            let detail = format!("{who} returned on CPU {cpu} without a complete result");
            run.add(ReasonCode::WorkerIncomplete, end.line, detail);
        }
        WorkerStatus::Lost => {
            run.add(ReasonCode::WorkerLost, end.line, format!("CPU {cpu} never reported back from {who}"));
        }
    }
}

fn authority(run: &mut Run<'_>, who: Who, end: At<WorkerEnd>) {
    if end.is.refused > 0 {
        let detail = format!(
            "{who}: {} syscalls refused, the first was number {}",
            end.is.refused, end.is.first_refused
        );
        run.add(ReasonCode::AuthorityExceeded, end.line, detail);
    }
}
