//! What came of a worker.

use abi::plan::Split;
use abi::wire::record::WorkerStatus;
use abi::worker::{COMPLETE, WorkerResult};

use crate::user::{Counts, Exit, Fault};

/// What came of a worker.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: WorkerStatus,
    /// Its fault, where that is how.
    pub fault: Option<Fault>,
    /// What the kernel counted in its timed run, and the syscalls refused in its warm-up.
    pub counts: Counts,
    /// Its result slot, where it is done.
    pub result: WorkerResult,
}

impl Outcome {
    /// Of a worker that came back.
    #[must_use]
    pub fn new(exit: Exit, counts: Counts, result: WorkerResult) -> Self {
        let (status, fault) = match exit {
            Exit::Returned if result.complete == COMPLETE => (WorkerStatus::Done, None),
            Exit::Returned => (WorkerStatus::Incomplete, None),
            Exit::Fault(fault) => (WorkerStatus::Fault, Some(fault)),
            Exit::Timeout => (WorkerStatus::Timeout, None),
        };
        Self { status, fault, counts, result }
    }

    /// Of a worker that has nothing to show.
    #[must_use]
    pub fn unfinished(status: WorkerStatus) -> Self {
        Self { status, fault: None, counts: Counts::default(), result: WorkerResult::default() }
    }

    /// Whether the worker is done and answered what the plan expects.
    #[must_use]
    pub fn verified(&self, split: &Split) -> bool {
        let WorkerResult { answer, work, digest, .. } = self.result;
        self.status == WorkerStatus::Done
            && (answer, work, digest) == (split.answer, split.work, split.digest.0)
    }
}
