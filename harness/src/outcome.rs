//! How a worker ended, and its result.

use abi::plan::Split;
use abi::wire::record::WorkerStatus;
use abi::worker::{COMPLETE, WorkerResult};

use crate::user::{Counts, Exit, Fault};

/// How a worker ended, and its result.
#[derive(Clone, Copy, Debug)]
pub struct Outcome {
    /// How it ended.
    pub status: WorkerStatus,
    /// Its fault, if it took one.
    pub fault: Option<Fault>,
    /// Interrupts of its timed run, and syscalls refused in both of its calls.
    pub counts: Counts,
    /// Its result slot. Meaningful if it is done.
    pub result: WorkerResult,
}

impl Outcome {
    /// The outcome of a worker that came back.
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

    /// The outcome after a verify call, which came back as `exit` with `counts` and left `verified` in the slot: the answer
    /// of the verify call, the times of the timed one.
    #[must_use]
    pub fn verified_by(self, exit: Exit, counts: Counts, verified: WorkerResult) -> Self {
        // Interrupts are the timed run's alone; refused syscalls are anyone's, and the first of them was before.
        let counts = Counts { irqs: self.counts.irqs, ..counts.after(self.counts) };
        Self::new(exit, counts, self.result.verified_by(verified))
    }

    /// The outcome of a worker that left no result.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verify_call_decides_the_answer_and_not_the_times() {
        let timed = WorkerResult {
            begin_tsc: 5,
            end_tsc: 9,
            answer: 1,
            complete: COMPLETE,
            ..WorkerResult::default()
        };
        let verified = WorkerResult { begin_tsc: 70, end_tsc: 80, answer: 3, work: 4, chunks: 2, ..timed };
        let counts = Counts { irqs: 1, refused: 0, first_refused: 0 };
        let outcome = Outcome::new(Exit::Returned, counts, timed);
        let later = Counts { irqs: 6, refused: 2, first_refused: 39 };
        let whole = outcome.verified_by(Exit::Returned, later, verified);
        assert_eq!(whole.result, WorkerResult { begin_tsc: 5, end_tsc: 9, ..verified });
        assert_eq!(whole.counts, Counts { irqs: 1, refused: 2, first_refused: 39 });
        let none = WorkerResult { complete: 0, ..verified };
        assert_eq!(outcome.verified_by(Exit::Returned, later, none).status, WorkerStatus::Incomplete);
        assert_eq!(outcome.verified_by(Exit::Timeout, later, verified).status, WorkerStatus::Timeout);
    }

    #[test]
    fn a_worker_that_returns_without_the_mark_is_incomplete() {
        let result = WorkerResult { complete: COMPLETE, ..WorkerResult::default() };
        assert_eq!(Outcome::new(Exit::Returned, Counts::default(), result).status, WorkerStatus::Done);
        let result = WorkerResult::default();
        assert_eq!(Outcome::new(Exit::Returned, Counts::default(), result).status, WorkerStatus::Incomplete);
        assert_eq!(Outcome::new(Exit::Timeout, Counts::default(), result).status, WorkerStatus::Timeout);
    }
}
