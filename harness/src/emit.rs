//! Records that both systems emit alike: those of an iteration, after its last worker is done, and those of the clock.

use abi::CpuId;
use abi::exception::mnemonic;
use abi::plan::Split;
use abi::wire::record::{
    Answer, CaseBegin, CaseEnd, Chunks, Fault as FaultRecord, Mark as MarkRecord, Moment, Region, Root, Tsc,
    TscReading, Worker as WorkerRecord, WorkerEnd, WorkerStatus,
};
use abi::wire::{Hex64, Label};
use abi::worker::SCALE_SHIFT;

use crate::agenda::{Expected, Item};
use crate::backend::TeamReport;
use crate::chunks::ChunkRoot;
use crate::clock::{Choice, Mark, Reading};
use crate::conditions::Conditions;
use crate::outcome::Outcome;
use crate::pace::HostGaps;
use crate::sink::Sink;
use crate::table::Row;
use crate::user::{Fault, layout};

/// One worker of an iteration, as its records describe it.
#[derive(Clone, Copy, Debug)]
pub struct WorkerReport {
    /// Its CPU.
    pub cpu: CpuId,
    /// What the plan gave it.
    pub split: Split,
    /// How it ended, and with what result.
    pub outcome: Outcome,
    /// The digests in its result pages, if the plan has any.
    pub chunks: Option<ChunkRoot>,
    /// When its CPU entered its timed call and came back, by the system's own readings.
    pub around: Around,
    /// What its CPU saw of the host.
    pub gaps: HostGaps,
    /// The conditions under which its CPU ran it.
    pub conditions: Conditions,
}

/// A system's own readings of the TSC around a worker's timed call, on the worker's CPU.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Around {
    /// Just before the CPU entered the worker.
    pub entered_tsc: u64,
    /// Just after the worker came back.
    pub returned_tsc: u64,
}

/// The moments of an iteration, on both clocks.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Marks {
    /// After `case-ready`.
    pub ready: Mark,
    /// When the last worker had finished its warm-up; `None` if there was no common start.
    pub warm: Option<Mark>,
    /// When the last worker had come back from its timed call; `None` if one did not.
    pub back: Option<Mark>,
    /// Before `case-begin`.
    pub done: Mark,
}

/// Emits every reading of the TSC's frequency, and the one that was chosen.
pub fn clock(choice: &Choice, readings: &[Reading], sink: &mut impl Sink) {
    for &Reading { source, khz } in readings {
        sink.record(TscReading { source, khz }.into());
    }
    let Choice { source, khz, sources, spread_ppm } = *choice;
    sink.record(Tsc { source, khz, sources, spread_ppm }.into());
}

/// Sums over the workers that are done.
struct Totals {
    first_begin: u64,
    last_end: u64,
    work: u64,
    digest: u64,
}

/// Emits the records of an iteration of `item`, in their order. Returns its row of the table.
pub fn iteration(item: &Item, iter: u16, report: &TeamReport, marks: Marks, sink: &mut impl Sink) -> Row {
    let case = item.case.workers;
    let TeamReport { start_tsc, workers, root, .. } = report;
    let start_tsc = *start_tsc;
    sink.record(CaseBegin { case, iter, start_tsc }.into());
    for report in workers {
        emit_worker(case, iter, start_tsc, report, sink);
    }
    if let Some(ChunkRoot { count, root }) = *root {
        sink.record(Root { case, iter, count, root }.into());
    }
    let row = sum_up(item, iter, start_tsc, workers);
    let Row { done, makespan, verified, .. } = row;
    sink.record(CaseEnd { case, iter, done, makespan, verified }.into());
    for WorkerReport { cpu, split, gaps, .. } in workers {
        sink.record(gaps.record(case, iter, split.worker, *cpu).into());
    }
    emit_marks(case, iter, marks, sink);
    emit_conditions(case, iter, workers, sink);
    row
}

/// Emits the conditions of all workers, and their counters if there are any.
fn emit_conditions(case: u16, iter: u16, workers: &[WorkerReport], sink: &mut impl Sink) {
    for WorkerReport { cpu, split, conditions, .. } in workers {
        sink.record(conditions.record(case, iter, split.worker, *cpu).into());
    }
    if workers.iter().any(|worker| worker.conditions.counters.any()) {
        for WorkerReport { cpu, split, conditions, .. } in workers {
            sink.record(conditions.counters.record(case, iter, split.worker, *cpu).into());
        }
    }
}

/// Emits the moments of an iteration.
fn emit_marks(case: u16, iter: u16, Marks { ready, warm, back, done }: Marks, sink: &mut impl Sink) {
    let moments = [
        (Moment::Ready, Some(ready)),
        (Moment::Warm, warm),
        (Moment::Back, back),
        (Moment::Done, Some(done)),
    ];
    for (moment, mark) in moments {
        if let Some(Mark { tsc, count }) = mark {
            sink.record(MarkRecord { case, iter, moment, tsc, count }.into());
        }
    }
}

/// The row of an iteration: sums over its workers, and whether their answers hold.
fn sum_up(item: &Item, iter: u16, start_tsc: u64, workers: &[WorkerReport]) -> Row {
    let case = item.case.workers;
    let mut row = Row { case, iteration: iter, start_tsc, done: 0, makespan: 0, answer: 0, verified: true };
    let mut totals = Totals { first_begin: u64::MAX, last_end: 0, work: 0, digest: 0 };
    for WorkerReport { split, outcome, .. } in workers {
        row.verified &= outcome.status == WorkerStatus::Done && outcome.counts.refused == 0;
        row.verified &= item.expected != Expected::Each || outcome.verified(split);
        if outcome.status == WorkerStatus::Done {
            let result = outcome.result;
            row.done += 1;
            row.answer = row.answer.wrapping_add(result.answer);
            totals.work = totals.work.wrapping_add(result.work);
            totals.digest = totals.digest.wrapping_add(result.digest);
            totals.first_begin = totals.first_begin.min(result.begin_tsc);
            totals.last_end = totals.last_end.max(result.end_tsc);
        }
    }
    if row.done == case {
        row.makespan = totals.last_end.saturating_sub(totals.first_begin);
    }
    if let Expected::Together { answer, work, digest } = item.expected {
        row.verified &= (answer, work, digest) == (row.answer, totals.work, totals.digest);
    }
    row
}

/// Emits one worker's records.
fn emit_worker(case: u16, iter: u16, start_tsc: u64, report: &WorkerReport, sink: &mut impl Sink) {
    let WorkerReport { cpu, split, outcome, around, .. } = *report;
    let worker = split.worker;
    if outcome.status == WorkerStatus::Done {
        let result = outcome.result;
        let cycles = result.end_tsc.saturating_sub(result.begin_tsc);
        let record = WorkerRecord {
            case,
            iter,
            worker,
            cpu,
            skew: result.begin_tsc.saturating_sub(start_tsc),
            cycles,
            scaled: u32::try_from(cycles >> SCALE_SHIFT).unwrap_or(u32::MAX),
            irqs: outcome.counts.irqs,
        };
        sink.record(record.into());
        let (answer, work, digest) = (result.answer, result.work, Hex64(result.digest));
        sink.record(Answer { case, iter, worker, answer, work, digest }.into());
        if let Some(ChunkRoot { count, root }) = report.chunks {
            sink.record(Chunks { case, iter, worker, count, root }.into());
        }
        let entered = start_tsc.saturating_sub(around.entered_tsc);
        let returned = around.returned_tsc.saturating_sub(start_tsc);
        sink.record(Region { case, iter, worker, cpu, entered, returned }.into());
    }
    if let Some(fault) = outcome.fault {
        emit_fault(worker, &fault, sink);
    }
    let (refused, first_refused) = (outcome.counts.refused, outcome.counts.first_refused);
    let end = WorkerEnd { case, iter, worker, cpu, status: outcome.status, refused, first_refused };
    sink.record(end.into());
}

/// Emits a worker's fault. An instruction in the image is given relative to it.
fn emit_fault(worker: u16, fault: &Fault, sink: &mut impl Sink) {
    let in_image = (layout::IMAGE..layout::IMAGE_LIMIT).contains(&fault.rip);
    let rip = if in_image { fault.rip - layout::IMAGE } else { fault.rip };
    if let Some(exception) = Label::new(mnemonic(fault.vector)) {
        let (error, rip, address) = (Hex64(fault.error), Hex64(rip), Hex64(fault.address));
        sink.record(FaultRecord { worker, exception, error, rip, address }.into());
    }
}

#[cfg(test)]
mod tests {
    use abi::plan::Case;
    use abi::wire::Record;
    use abi::worker::{COMPLETE, WorkerResult};

    use super::*;
    use crate::pace::PaceCheck;
    use crate::sink::tests::Kept;
    use crate::user::{Counts, Exit};

    fn report(worker: u16, exit: Exit, begin_tsc: u64, end_tsc: u64) -> WorkerReport {
        let split = Split { worker, p0: 2, p1: 9, p2: 0, p3: 0, answer: 4, work: 7, digest: Hex64(1) };
        let result =
            WorkerResult { begin_tsc, end_tsc, answer: 4, work: 7, digest: 1, complete: COMPLETE, chunks: 0 };
        let before = PaceCheck { longest: 3, reads: u32::from(worker) };
        let gaps = HostGaps { before, after: PaceCheck::default(), steal_ns: None };
        WorkerReport {
            cpu: CpuId(worker + 10),
            split,
            outcome: Outcome::new(exit, Counts::default(), result),
            chunks: None,
            around: Around { entered_tsc: 98, returned_tsc: end_tsc + 7 },
            gaps,
            conditions: Conditions { warm_up: 50, ..Conditions::default() },
        }
    }

    const MARKS: Marks = Marks {
        ready: Mark { tsc: 40, count: 1 },
        warm: Some(Mark { tsc: 97, count: 2 }),
        back: Some(Mark { tsc: 520, count: 3 }),
        done: Mark { tsc: 600, count: 4 },
    };

    fn emit(workers: &[WorkerReport]) -> (Row, Kept) {
        emit_for(Expected::Each, workers)
    }

    fn emit_for(expected: Expected, workers: &[WorkerReport]) -> (Row, Kept) {
        let case = Case { workers: 2, iterations: 1, timeout_ms: 1 };
        let item = Item { case, splits: workers.iter().map(|worker| worker.split).collect(), expected };
        let mut kept = Kept::default();
        let report = TeamReport {
            start_tsc: 100,
            warm: MARKS.warm,
            back: MARKS.back,
            workers: workers.to_vec(),
            root: None,
        };
        let row = iteration(&item, 0, &report, MARKS, &mut kept);
        (row, kept)
    }

    fn verified(expected: Expected, workers: &[WorkerReport]) -> bool {
        emit_for(expected, workers).0.verified
    }

    #[test]
    fn emits_each_worker_between_the_begin_and_the_end_and_gaps_after() {
        let (row, kept) = emit(&[report(0, Exit::Returned, 110, 510), report(1, Exit::Returned, 105, 500)]);
        let each = ["worker", "result", "region", "worker-end"];
        let last = ["case-end", "gap", "gap", "mark", "mark", "mark", "mark", "conditions", "conditions"];
        let names = [&["case-begin"][..], &each, &each, &last].concat();
        assert_eq!(kept.names(), names);
        assert_eq!((row.done, row.makespan, row.answer, row.verified), (2, 405, 8, true));
        let Record::Gap(gap) = kept.0[11] else { panic!("{:?}", kept.names()) };
        assert_eq!((gap.worker, gap.cpu, gap.before, gap.reads_before), (1, CpuId(11), 3, 1));
        let Record::Region(region) = kept.0[3] else { panic!("{:?}", kept.names()) };
        assert_eq!((region.worker, region.cpu, region.entered, region.returned), (0, CpuId(10), 2, 417));
    }

    #[test]
    fn emits_counters_of_all_workers_if_one_has_any() {
        let mut workers = [report(0, Exit::Returned, 110, 510), report(1, Exit::Returned, 105, 500)];
        workers[1].conditions.counters.smis = Some(0);
        let (_, kept) = emit(&workers);
        assert_eq!(kept.names()[kept.0.len() - 4..], ["conditions", "conditions", "counters", "counters"]);
        let Record::Counters(counters) = kept.0[kept.0.len() - 1] else { panic!("{:?}", kept.names()) };
        assert_eq!(
            (counters.worker, counters.cpu, counters.smis, counters.aperf),
            (1, CpuId(11), Some(0), None)
        );
    }

    #[test]
    fn emits_the_moments_that_there_were_in_their_order() {
        let moments = |marks| {
            let mut kept = Kept::default();
            emit_marks(2, 5, marks, &mut kept);
            let mark = |record: &Record| match record {
                Record::Mark(mark) => (mark.iter, mark.moment, mark.tsc, mark.count),
                other => panic!("{other:?}"),
            };
            kept.0.iter().map(mark).collect::<Vec<_>>()
        };
        let (ready, done) = ((5, Moment::Ready, 40, 1), (5, Moment::Done, 600, 4));
        let (warm, back) = ((5, Moment::Warm, 97, 2), (5, Moment::Back, 520, 3));
        assert_eq!(moments(MARKS), [ready, warm, back, done]);
        assert_eq!(moments(Marks { back: None, ..MARKS }), [ready, warm, done]);
        assert_eq!(moments(Marks { warm: None, back: None, ..MARKS }), [ready, done]);
    }

    #[test]
    fn verifies_a_sweeps_workers_by_the_sum_of_their_answers() {
        let both = [report(0, Exit::Returned, 110, 510), report(1, Exit::Returned, 105, 500)];
        assert!(verified(Expected::Together { answer: 8, work: 14, digest: 2 }, &both));
        for (answer, work, digest) in [(9, 14, 2), (8, 13, 2), (8, 14, 3)] {
            assert!(!verified(Expected::Together { answer, work, digest }, &both));
        }
        let one = [both[0], report(1, Exit::Timeout, 0, 0)];
        assert!(!verified(Expected::Together { answer: 4, work: 7, digest: 1 }, &one));
    }

    #[test]
    fn emits_a_fault_and_no_time_of_a_worker_that_took_one() {
        let fault = Fault { vector: 14, error: 6, rip: layout::IMAGE + 0x10b0, address: 8 };
        let (row, kept) = emit(&[report(0, Exit::Fault(fault), 0, 0), report(1, Exit::Timeout, 0, 0)]);
        let names = ["case-begin", "fault", "worker-end", "worker-end", "case-end", "gap", "gap"];
        let names = [&names[..], &["mark"; 4], &["conditions"; 2]].concat();
        assert_eq!(kept.names(), names);
        assert!(matches!(kept.0[1], Record::Fault(FaultRecord { rip: Hex64(0x10b0), .. })));
        assert_eq!((row.done, row.makespan, row.verified), (0, 0, false));
    }
}
