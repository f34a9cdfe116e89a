//! The records of an iteration, told after its last worker is done.

use abi::CpuId;
use abi::exception::mnemonic;
use abi::plan::Split;
use abi::wire::record::{
    Answer, CaseBegin, CaseEnd, Fault as FaultRecord, Worker as WorkerRecord, WorkerEnd, WorkerStatus,
};
use abi::wire::{Hex64, Label, Record};
use abi::worker::SCALE_SHIFT;

use super::Outcome;
use super::agenda::{Expected, Item};
use super::table::Row;
use crate::user::{Fault, layout};

/// A worker, as its records have it.
#[derive(Clone, Copy, Debug)]
pub struct Told {
    /// Its CPU.
    pub cpu: CpuId,
    /// What the plan gave it.
    pub split: Split,
    /// What came of it.
    pub outcome: Outcome,
}

/// Tells the records of an iteration of `item`, in their order; returns its row of the table. `start_tsc` is the common
/// start, 0 where there was none.
pub fn iteration(
    item: &Item,
    iter: u16,
    start_tsc: u64,
    workers: impl Iterator<Item = Told>,
    tell: &mut dyn FnMut(Record),
) -> Row {
    let case = item.case.workers;
    tell(CaseBegin { case, iter, start_tsc }.into());
    let mut row = Row { case, iteration: iter, start_tsc, done: 0, makespan: 0, answer: 0, verified: true };
    let (mut first_begin, mut last_end) = (u64::MAX, 0);
    let (mut work, mut digest) = (0_u64, 0_u64);
    for worker in workers {
        tell_worker(&row, &worker, tell);
        let Told { split, outcome, .. } = worker;
        row.verified &= outcome.status == WorkerStatus::Done && outcome.counts.refused == 0;
        row.verified &= item.expected != Expected::Each || outcome.verified(&split);
        if outcome.status == WorkerStatus::Done {
            row.done += 1;
            row.answer = row.answer.wrapping_add(outcome.result.answer);
            work = work.wrapping_add(outcome.result.work);
            digest = digest.wrapping_add(outcome.result.digest);
            first_begin = first_begin.min(outcome.result.begin_tsc);
            last_end = last_end.max(outcome.result.end_tsc);
        }
    }
    if row.done == case {
        row.makespan = last_end.saturating_sub(first_begin);
    }
    if let Expected::Together { .. } = item.expected {
        row.verified &= item.expected == Expected::Together { answer: row.answer, work, digest };
    }
    let Row { case, done, makespan, verified, .. } = row;
    tell(CaseEnd { case, iter, done, makespan, verified }.into());
    row
}

fn tell_worker(row: &Row, told: &Told, tell: &mut dyn FnMut(Record)) {
    let Told { cpu, split, outcome } = *told;
    let (case, iter, worker) = (row.case, row.iteration, split.worker);
    if outcome.status == WorkerStatus::Done {
        let result = outcome.result;
        let cycles = result.end_tsc.saturating_sub(result.begin_tsc);
        let record = WorkerRecord {
            case,
            iter,
            worker,
            cpu,
            skew: result.begin_tsc.saturating_sub(row.start_tsc),
            cycles,
            scaled: u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX),
            irqs: outcome.counts.irqs,
        };
        tell(record.into());
        let (answer, work, digest) = (result.answer, result.work, Hex64(result.digest));
        tell(Answer { case, iter, worker, answer, work, digest }.into());
    }
    if let Some(fault) = outcome.fault {
        tell_fault(worker, &fault, tell);
    }
    let (refused, first_refused) = (outcome.counts.refused, outcome.counts.first_refused);
    tell(WorkerEnd { case, iter, worker, cpu, status: outcome.status, refused, first_refused }.into());
}

fn tell_fault(worker: u16, fault: &Fault, tell: &mut dyn FnMut(Record)) {
    let in_image = (layout::IMAGE..layout::IMAGE_LIMIT).contains(&fault.rip);
    let rip = if in_image { fault.rip - layout::IMAGE } else { fault.rip };
    if let Some(exception) = Label::new(mnemonic(fault.vector)) {
        let (error, rip, address) = (Hex64(fault.error), Hex64(rip), Hex64(fault.address));
        tell(FaultRecord { worker, exception, error, rip, address }.into());
    }
}

#[cfg(test)]
mod tests {
    use abi::plan::Case;
    use abi::worker::{COMPLETE, WorkerResult};
    use alloc::vec::Vec;

    use super::*;
    use crate::user::{Counts, Exit};

    fn told(worker: u16, exit: Exit, begin_tsc: u64, end_tsc: u64) -> Told {
        let split = Split { worker, p0: 2, p1: 9, p2: 0, p3: 0, answer: 4, work: 7, digest: Hex64(1) };
        let result = WorkerResult { begin_tsc, end_tsc, answer: 4, work: 7, digest: 1, complete: COMPLETE };
        Told { cpu: CpuId(worker), split, outcome: Outcome::new(exit, Counts::default(), result) }
    }

    fn tell(workers: &[Told]) -> (Row, Vec<Record>) {
        tell_of(Expected::Each, workers)
    }

    fn tell_of(expected: Expected, workers: &[Told]) -> (Row, Vec<Record>) {
        let case = Case { workers: 2, iterations: 1, timeout_ms: 1 };
        let item = Item { case, splits: workers.iter().map(|worker| worker.split).collect(), expected };
        let mut records = Vec::new();
        let row = iteration(&item, 0, 100, workers.iter().copied(), &mut |record| records.push(record));
        (row, records)
    }

    #[test]
    fn tells_each_worker_between_the_begin_and_the_end() {
        let (row, records) = tell(&[told(0, Exit::Returned, 110, 510), told(1, Exit::Returned, 105, 500)]);
        let names: Vec<_> = records.iter().map(Record::name).collect();
        let each = ["worker", "result", "worker-end"];
        assert_eq!(names, [&["case-begin"][..], &each, &each, &["case-end"]].concat());
        assert_eq!((row.done, row.makespan, row.answer, row.verified), (2, 405, 8, true));
    }

    #[test]
    fn verifies_a_sweeps_workers_by_what_they_answer_together() {
        let both = [told(0, Exit::Returned, 110, 510), told(1, Exit::Returned, 105, 500)];
        let verified =
            |answer, work, digest| tell_of(Expected::Together { answer, work, digest }, &both).0.verified;
        assert!(verified(8, 14, 2));
        assert!(!verified(9, 14, 2) && !verified(8, 13, 2) && !verified(8, 14, 3));
        let one = [both[0], told(1, Exit::Timeout, 0, 0)];
        assert!(!tell_of(Expected::Together { answer: 4, work: 7, digest: 1 }, &one).0.verified);
    }

    #[test]
    fn tells_a_fault_and_no_time_of_a_worker_that_took_one() {
        let fault = Fault { vector: 14, error: 6, rip: layout::IMAGE + 0x10b0, address: 8 };
        let (row, records) = tell(&[told(0, Exit::Fault(fault), 0, 0), told(1, Exit::Timeout, 0, 0)]);
        let names: Vec<_> = records.iter().map(Record::name).collect();
        assert_eq!(names, ["case-begin", "fault", "worker-end", "worker-end", "case-end"]);
        assert!(matches!(records[1], Record::Fault(FaultRecord { rip: Hex64(0x10b0), .. })));
        assert_eq!((row.done, row.makespan, row.verified), (0, 0, false));
    }
}
