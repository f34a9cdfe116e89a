//! Puts each record of a boot at its place among the facts, and reports those that do not belong where they are.

use std::collections::BTreeMap;

use abi::wire::record::{CaseBegin, CaseEnd, CpuState, Fault, Mark};
use abi::wire::{Message, Record, Timestamp};

use super::{At, Facts, Iteration, WorkerFacts};
use crate::transcript::Located;

impl Facts<'_> {
    pub(super) fn add(&mut self, place: usize, located: &Located) {
        let line = located.line;
        let record = &located.envelope.record;
        let twice = match *record {
            Record::Topology(is) => self.topology.insert(is.cpu.0, At { line, is }).is_some(),
            Record::Split(is) => {
                self.splits.entry(is.case).or_default().insert(is.worker, At { line, is }).is_some()
            }
            Record::CaseReady(is) => {
                self.close_ready();
                self.ready = Some((At { line, is }, located.envelope.ts));
                false
            }
            Record::CaseBegin(is) => {
                self.begin(line, located.envelope.ts, is);
                false
            }
            Record::Worker(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.timing.replace(At { line, is }).is_some()
            }),
            Record::Answer(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.answer.replace(At { line, is }).is_some()
            }),
            Record::Chunks(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.chunks.replace(At { line, is }).is_some()
            }),
            Record::Root(is) => match self.open(is.case, is.iter) {
                Some(open) => open.root.replace(At { line, is }).is_some(),
                None => {
                    let is =
                        format!("a `root` of case {} iteration {}, which is not running", is.case, is.iter);
                    push(&mut self.misplaced, At { line, is })
                }
            },
            Record::Region(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.region.replace(At { line, is }).is_some()
            }),
            Record::Mark(is) => self.mark(line, is),
            Record::Conditions(is) => self.of_last(line, record, (is.case, is.iter), |last| {
                last.conditions.insert(is.worker, At { line, is }).is_some()
            }),
            Record::Counters(is) => self.of_last(line, record, (is.case, is.iter), |last| {
                last.counters.insert(is.worker, At { line, is }).is_some()
            }),
            Record::Seconds(_) => self.seconds(line),
            Record::WorkerEnd(is) => self.of_worker(line, (is.case, is.iter, is.worker), |worker| {
                worker.end.replace(At { line, is }).is_some()
            }),
            Record::Fault(is) => self.fault(line, is),
            Record::CaseEnd(is) => self.end_iteration(line, is),
            // A kernel may find only after `case-ready` that it cannot run the case.
            Record::CaseSkipped(is) => {
                self.skipped.insert(is.case);
                self.ready = self.ready.filter(|(ready, _)| ready.is.case != is.case);
                false
            }
            Record::Cpu(is) => {
                if matches!(is.state, CpuState::Bsp | CpuState::Online) {
                    self.online.insert(is.cpu.0);
                    self.online_records = self.online_records.saturating_add(1);
                }
                false
            }
            _ => !may_repeat(record) && !self.records.is_first(place, record),
        };
        if twice {
            self.misplaced.push(At { line, is: second(record.name()) });
        }
    }

    /// Sorts the places of the iterations, and reports those whose numbers an earlier one has.
    pub(super) fn sort_iterations(&mut self) {
        let numbered = self.iterations.iter().zip(0..);
        self.places = numbered.map(|(iteration, place)| ((iteration.case, iteration.iter), place)).collect();
        self.places.sort_unstable();
        for pair in self.places.windows(2).filter(|pair| pair[0].0 == pair[1].0) {
            self.misplaced.push(At { line: self.iterations[pair[1].1].line, is: second(CaseBegin::NAME) });
        }
    }

    /// Ends the wait for the iteration of the last `case-ready`; reports it if it has not begun.
    pub(super) fn close_ready(&mut self) {
        if let Some((At { line, is }, _)) = self.ready.take() {
            let is = format!("case {} iteration {} has a `case-ready` but no `case-begin`", is.case, is.iter);
            self.misplaced.push(At { line, is });
        }
    }

    fn begin(&mut self, line: u64, begun: Timestamp, begin: CaseBegin) {
        if self.iterations.last().is_some_and(|open| open.end.is_none()) {
            let is = format!("case {} begins before the previous case has ended", begin.case);
            self.misplaced.push(At { line, is });
        }
        let CaseBegin { case, iter, start_tsc } = begin;
        let ready = self.ready.take_if(|(ready, _)| (ready.is.case, ready.is.iter) == (case, iter));
        let ready = ready.map(|(_, ts)| ts);
        self.iterations.push(Iteration {
            line,
            case,
            iter,
            start_tsc,
            ready,
            begun,
            workers: BTreeMap::new(),
            root: None,
            end: None,
            marks: Vec::new(),
            conditions: BTreeMap::new(),
            counters: BTreeMap::new(),
            over: false,
        });
        self.turns = self.turns.max(usize::from(iter) + 1);
    }

    /// The current iteration, if it is this one and has not ended.
    fn open(&mut self, case: u16, iter: u16) -> Option<&mut Iteration> {
        self.iterations.last_mut().filter(|open| open.end.is_none() && open.case == case && open.iter == iter)
    }

    fn of_worker(
        &mut self,
        line: u64,
        (case, iter, worker): (u16, u16, u16),
        put: impl FnOnce(&mut WorkerFacts) -> bool,
    ) -> bool {
        if let Some(open) = self.open(case, iter) {
            return put(open.workers.entry(worker).or_default());
        }
        let is = format!("a record of worker {worker} of case {case} iteration {iter}, which is not running");
        self.misplaced.push(At { line, is });
        false
    }

    fn fault(&mut self, line: u64, is: Fault) -> bool {
        match self.iterations.last_mut().filter(|open| open.end.is_none()) {
            Some(open) => open.workers.entry(is.worker).or_default().fault.replace(At { line, is }).is_some(),
            None => push(&mut self.misplaced, At { line, is: "a `fault` record outside a case".to_owned() }),
        }
    }

    /// Adds a moment to the iteration that has just ended.
    fn mark(&mut self, line: u64, is: Mark) -> bool {
        self.of_last(line, &is.into(), (is.case, is.iter), |last| {
            let twice = last.marks.iter().any(|mark| mark.is.moment == is.moment);
            last.marks.push(At { line, is });
            twice
        })
    }

    /// Adds a record to the iteration that has just ended. Returns whether it is there twice.
    fn of_last(
        &mut self,
        line: u64,
        record: &Record,
        (case, iter): (u16, u16),
        put: impl FnOnce(&mut Iteration) -> bool,
    ) -> bool {
        // After the next `case-ready`, the iteration is over.
        let over = self.ready.is_some();
        let last = self.iterations.last_mut().filter(|last| last.end.is_some() && !last.over && !over);
        match last.filter(|last| (last.case, last.iter) == (case, iter)) {
            Some(last) => put(last),
            None => {
                let is =
                    format!("a `{}` of case {case} iteration {iter}, which is not the last", record.name());
                push(&mut self.misplaced, At { line, is })
            }
        }
    }

    /// Keeps a reading of the real-time clock, which is made between two iterations.
    fn seconds(&mut self, line: u64) -> bool {
        let open = self.iterations.last().is_some_and(|last| last.end.is_none());
        if open || self.ready.is_some() {
            let is = "a `seconds` record inside an iteration".to_owned();
            self.misplaced.push(At { line, is });
        }
        if let Some(last) = self.iterations.last_mut() {
            last.over = true;
        }
        false
    }

    fn end_iteration(&mut self, line: u64, is: CaseEnd) -> bool {
        match self.open(is.case, is.iter) {
            Some(open) => open.end.replace(At { line, is }).is_some(),
            None => {
                let is = format!("case {} iteration {} ends but has not begun", is.case, is.iter);
                push(&mut self.misplaced, At { line, is })
            }
        }
    }
}

fn second(name: &str) -> String {
    format!("the log has a second `{name}` record")
}

/// Whether a boot may have several records of this kind. A new kind may occur once unless it is listed here.
const fn may_repeat(record: &Record) -> bool {
    matches!(
        record,
        Record::Cpu(_)
            | Record::Dmi(_)
            | Record::TscReading(_)
            | Record::Phase(_)
            | Record::Register(_)
            | Record::Offset(_)
            | Record::Seconds(_)
            | Record::Interrupts(_)
            | Record::InterruptVector(_)
            | Record::CaseSkipped(_)
            | Record::Gap(_)
            | Record::Problem(_)
            | Record::Config(_)
            | Record::ConfigIgnored(_)
            | Record::Series(_)
            | Record::SeriesOracle(_)
            | Record::SeriesRange(_)
            | Record::SeriesCounts(_)
            | Record::SeriesSamples(_)
            | Record::SeriesNone(_)
            | Record::MechanismObject(_)
            | Record::MechanismGrant(_)
            | Record::MechanismStub(_)
            | Record::MechanismCounts(_)
    )
}

/// Adds to a list. Returns `false`: such a record may repeat.
fn push<T>(list: &mut Vec<T>, item: T) -> bool {
    list.push(item);
    false
}
