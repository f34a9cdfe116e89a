//! The calling convention of a worker, the same under our kernel and inside the Linux twin.
//!
//! A worker is a static position-independent ELF whose entry point is an
//! `extern "C" fn(args: *const WorkerArgs, out: *mut WorkerResult)` (System V AMD64 ABI). It makes no syscall; it
//! returns to its caller. It reads `args`, uses its own image and stack, and writes `out` and nothing else.
//!
//! A worker is called twice. In the first call [`WorkerArgs::start_tsc`] is 0: the worker does a small part of the work,
//! again and again until the TSC has reached [`WorkerArgs::warm_until_tsc`]. So it touches everything that the second
//! call touches (code, stack, data, result slot), and its CPU has left its idle states and reached its clock. Its result
//! is discarded. In the second call the worker spins on `rdtsc` until `start_tsc`, then times its work, once.

use crate::plan::Split;

/// The arguments of a worker. 64 bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, align(64))]
pub struct WorkerArgs {
    /// The TSC value at which to begin, the same for all workers of a case; 0 for the warm-up call.
    pub start_tsc: u64,
    /// The number of this worker in its case, from 0.
    pub worker: u64,
    /// The parameters of this worker, from the plan. Their meaning is the workload's.
    pub params: [u64; PARAMS],
    /// The challenge of the plan, which every workload folds into its digest. The same instructions run for every value.
    pub challenge: u64,
    /// The TSC value up to which the warm-up call goes on; 0 for the timed call.
    pub warm_until_tsc: u64,
}

impl WorkerArgs {
    /// These arguments with the number and the parameters of `split`, and with `challenge`.
    #[must_use]
    pub const fn of(self, split: &Split, challenge: u64) -> Self {
        let Split { worker, p0, p1, p2, p3, .. } = *split;
        Self { worker: worker as u64, params: [p0, p1, p2, p3], challenge, ..self }
    }
}

/// The most parameters that a workload can have.
pub const PARAMS: usize = 4;

/// The result of a worker. 64 bytes: a cache line that holds nothing else.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, align(64))]
pub struct WorkerResult {
    /// The TSC just before the work, with everything earlier completed (`lfence; rdtsc; lfence`).
    pub begin_tsc: u64,
    /// The TSC just after the work, with all of it completed (`rdtscp; lfence`, or `lfence; rdtsc; lfence`).
    pub end_tsc: u64,
    /// The answer to the workload's question, in its unit.
    pub answer: u64,
    /// The work done, exactly, in the workload's unit.
    pub work: u64,
    /// A digest of what the answer is made of and of the challenge, so that no answer of another run fits. It does not
    /// depend on order: its wrapping sum over the workers of a case is the same for every number of workers.
    pub digest: u64,
    /// [`COMPLETE`] once all other fields are written. Any other value: the worker did not finish.
    pub complete: u64,
}

/// The last word that a worker writes: "COMPLETE" in ASCII, which no zeroed or stale page holds by chance.
pub const COMPLETE: u64 = u64::from_le_bytes(*b"COMPLETE");

/// The right shift from cycles to scaled cycles, the unit of published tables.
pub const SCALE_SHIFT: u32 = 20;

const _: () = assert!(size_of::<WorkerArgs>() == 64 && size_of::<WorkerResult>() == 64);
