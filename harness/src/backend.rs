//! What a system supplies to the driver.

use abi::CpuId;
use abi::plan::{Needs, Plan, Platform};
use abi::wire::record::SkipReason;
use alloc::vec::Vec;

use crate::agenda::Item;
use crate::chunks::ChunkRoot;
use crate::clock::{Clock, Mark};
use crate::emit::WorkerReport;
use crate::mechanism::{self, Errand};
use crate::sampler::{Book, Figure};
use crate::sink::Sink;
use crate::user::Program;

/// How long a system waits for its workers, in microseconds, beyond the time that they may take themselves.
const GRACE_US: u64 = 5_000_000;

/// How long to wait for all workers of a team, in microseconds from when the first may begin: every call, each to its
/// time-out of `timeout_us`, and some grace.
#[must_use]
pub const fn patience_us(needs: &Needs, timeout_us: u64) -> u64 {
    needs.calls() * timeout_us + GRACE_US
}

/// A team that has run.
#[derive(Clone, Debug)]
pub struct TeamReport {
    /// The TSC value of the common start; 0 if there was none.
    pub start_tsc: u64,
    /// When the last worker had finished its warm-up; `None` if there was no common start.
    pub warm: Option<Mark>,
    /// When the last worker had come back from its timed call; `None` if one did not.
    pub back: Option<Mark>,
    /// The workers, by number.
    pub workers: Vec<WorkerReport>,
    /// The root over the digests in all result pages, if the plan has any.
    pub root: Option<ChunkRoot>,
}

/// Interrupts on one CPU that its system did not ask for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Interrupted {
    /// The CPU.
    pub cpu: CpuId,
    /// Interrupts whose vector the system does not use.
    pub unexpected: u32,
    /// The first different vectors of them, in the order in which they came. A count of 0: none.
    pub vectors: [VectorCount; KEPT_VECTORS],
    /// Non-maskable interrupts.
    pub nmis: u32,
}

/// How many different vectors of unexpected interrupts are kept for each CPU.
pub const KEPT_VECTORS: usize = 4;

/// How many interrupts of one vector came.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct VectorCount {
    /// The vector.
    pub vector: u8,
    /// The interrupts.
    pub count: u32,
}

/// One system: it builds a team of workers for one iteration of a case, and runs it.
///
/// The driver emits every record of an experiment; a backend emits `error` records of its own only. Nothing that a
/// worker does is an error of the backend: it is in the worker's report.
pub trait Backend: Sink {
    /// The workers of one iteration, each with its CPU and its address space.
    type Team;

    /// Takes what each CPU counted of interrupts that the system did not ask for, since this was last called. A system that
    /// runs on another's interrupts, as a process does, has none.
    fn take_interrupts(&mut self) -> Vec<Interrupted> {
        Vec::new()
    }

    /// Reads the TSC and the second clock. The count is 0 if there is none.
    fn mark(&mut self) -> Mark;

    /// Reads the TSC and the real-time clock, in seconds since 1970; `None` without one.
    fn seconds(&mut self) -> Option<Mark>;

    /// Measures the rows of the platform that the plan asks for, and emits their records. Returns their figures, for a
    /// person. A system that has none emits nothing.
    fn platform(&mut self, asked: &Platform, samples: u32, clock: &Clock) -> Vec<Figure> {
        let _ = (asked, samples, clock);
        Vec::new()
    }

    /// Measures the rows of the mechanisms that the plan asks for, and emits their records ([`mechanism::run`]). A system that
    /// has none of the operations emits that.
    fn mechanisms(&mut self, errand: &Errand<'_>, book: &mut Book) {
        mechanism::without(errand, book, CpuId(0), self);
    }

    /// Builds a worker for each split of `item`, on the first CPUs in worker order.
    ///
    /// # Errors
    /// Why the case, with all its iterations, is skipped. Everything that was taken is given back.
    fn assemble(
        &mut self,
        plan: &Plan<'_>,
        item: &Item,
        program: &Program<'_>,
    ) -> Result<Self::Team, SkipReason>;

    /// Runs the team once, as iteration `iter`: the calls that the plan asks for, in their order (`abi::worker`), with the
    /// rendezvous before the timed calls, and the verify calls when all timed calls are over. Nothing of it runs afterwards, and its memory is given back. `case-ready` has been emitted just before.
    ///
    /// # Errors
    /// As for [`Backend::assemble`].
    fn run(&mut self, team: Self::Team, program: &Program<'_>, iter: u16) -> Result<TeamReport, SkipReason>;
}
