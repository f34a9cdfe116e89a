//! One iteration of a case: its records and those of its workers.

use std::collections::BTreeMap;

use abi::wire::Timestamp;
use abi::wire::record::{
    Answer, CaseEnd, Chunks, Conditions, Counters, Fault, Mark, Moment, Region, Root, Worker, WorkerEnd,
    WorkerStatus,
};

use super::At;

/// One iteration of a case.
#[derive(Debug)]
pub(in crate::gate) struct Iteration {
    pub line: u64,
    pub case: u16,
    pub iter: u16,
    /// The TSC value of the common start, by `case-begin`; 0 if there was none.
    pub start_tsc: u64,
    /// The time stamp of its `case-ready`, emitted before its workers start; `None` if that record is missing.
    pub ready: Option<Timestamp>,
    /// The time stamp of its `case-begin`, emitted after its workers have ended.
    pub begun: Timestamp,
    /// By number. Boxed, because a map's nodes have room for eleven.
    pub workers: BTreeMap<u16, Box<WorkerFacts>>,
    /// The root over the chunks of all workers.
    pub root: Option<At<Root>>,
    pub end: Option<At<CaseEnd>>,
    /// The moments of the iteration, by `moment`.
    pub marks: Vec<At<Mark>>,
    /// The conditions of its workers, by number.
    pub conditions: BTreeMap<u16, At<Conditions>>,
    /// The counters of its workers' CPUs, by worker.
    pub counters: BTreeMap<u16, At<Counters>>,
    /// Whether a record has come that ends what belongs to it.
    pub over: bool,
}

/// The records of one worker in one iteration.
#[derive(Debug, Default)]
pub(in crate::gate) struct WorkerFacts {
    pub timing: Option<At<Worker>>,
    pub answer: Option<At<Answer>>,
    pub chunks: Option<At<Chunks>>,
    pub region: Option<At<Region>>,
    pub end: Option<At<WorkerEnd>>,
    pub fault: Option<At<Fault>>,
}

impl WorkerFacts {
    /// Whether it is done.
    pub fn is_done(&self) -> bool {
        self.end.is_some_and(|end| end.is.status == WorkerStatus::Done)
    }
}

impl Iteration {
    /// The clocks at this moment.
    pub fn mark(&self, moment: Moment) -> Option<At<Mark>> {
        self.marks.iter().find(|mark| mark.is.moment == moment).copied()
    }

    /// How the details of findings call it.
    pub fn name(&self) -> String {
        format!("case {} iteration {}", self.case, self.iter)
    }

    /// Whether a worker of it is done.
    pub fn has_done(&self) -> bool {
        self.workers.values().any(|worker| worker.is_done())
    }

    /// Whether all of its workers are done.
    pub fn all_done(&self) -> bool {
        self.workers.values().all(|worker| worker.is_done())
    }
}
