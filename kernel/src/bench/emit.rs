//! The records of an iteration, printed after its last worker is done.

use abi::plan::Case;
use abi::wire::record::{
    Answer, CaseBegin, CaseEnd, Fault as FaultRecord, Worker as WorkerRecord, WorkerEnd, WorkerStatus,
};
use abi::wire::{Hex64, Label};
use abi::worker::SCALE_SHIFT;

use super::table::Row;
use super::worker::{Outcome, Team, Worker};
use crate::console;
use crate::user::{Fault, layout};
use crate::x86::idt::mnemonic;

/// Prints an iteration's records; returns its row of the table.
pub fn iteration(case: &Case, iteration: u16, team: &Team) -> Row {
    let start_tsc = team.rendezvous.start_tsc().unwrap_or(0);
    console::record(CaseBegin { case: case.workers, iter: iteration, start_tsc });
    let mut row =
        Row { case: case.workers, iteration, start_tsc, done: 0, makespan: 0, answer: 0, verified: true };
    let (mut first_begin, mut last_end) = (u64::MAX, 0);
    for worker in &team.workers {
        let outcome = worker.outcome().unwrap_or(Outcome::unfinished(WorkerStatus::Lost));
        tell_worker(case.workers, iteration, start_tsc, worker, &outcome);
        row.verified &= outcome.verified(&worker.split) && outcome.counts.refused == 0;
        if outcome.status == WorkerStatus::Done {
            row.done += 1;
            row.answer = row.answer.wrapping_add(outcome.result.answer);
            first_begin = first_begin.min(outcome.result.begin_tsc);
            last_end = last_end.max(outcome.result.end_tsc);
        }
    }
    if row.done == case.workers {
        row.makespan = last_end.saturating_sub(first_begin);
    }
    console::record(CaseEnd {
        case: case.workers,
        iter: iteration,
        done: row.done,
        makespan: row.makespan,
        verified: row.verified,
    });
    row
}

fn tell_worker(case: u16, iter: u16, start_tsc: u64, worker: &Worker, outcome: &Outcome) {
    let number = worker.split.worker;
    if outcome.status == WorkerStatus::Done {
        let result = outcome.result;
        let cycles = result.end_tsc.saturating_sub(result.begin_tsc);
        console::record(WorkerRecord {
            case,
            iter,
            worker: number,
            cpu: worker.cpu,
            skew: result.begin_tsc.saturating_sub(start_tsc),
            cycles,
            scaled: u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX),
            irqs: outcome.counts.irqs,
        });
        let (answer, work, digest) = (result.answer, result.work, Hex64(result.digest));
        console::record(Answer { case, iter, worker: number, answer, work, digest });
    }
    if let Some(fault) = outcome.fault {
        tell_fault(number, &fault);
    }
    console::record(WorkerEnd {
        case,
        iter,
        worker: number,
        cpu: worker.cpu,
        status: outcome.status,
        refused: outcome.counts.refused,
        first_refused: outcome.counts.first_refused,
    });
}

fn tell_fault(worker: u16, fault: &Fault) {
    let in_image = (layout::IMAGE..layout::IMAGE_LIMIT).contains(&fault.rip);
    let rip = if in_image { fault.rip - layout::IMAGE } else { fault.rip };
    if let Some(exception) = Label::new(mnemonic(fault.vector)) {
        let (error, rip, address) = (Hex64(fault.error), Hex64(rip), Hex64(fault.address));
        console::record(FaultRecord { worker, exception, error, rip, address });
    }
}
