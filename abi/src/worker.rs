//! The calling convention of a worker, the same under our kernel and inside the Linux twin.
//!
//! A worker is a static position-independent ELF whose entry point is an
//! `extern "C" fn(args: *const WorkerArgs, out: *mut WorkerResult)` (System V AMD64 ABI). It makes no syscall; it
//! returns to whoever called it. It reads `args`, uses its own image and stack, and writes `out` and nothing else.
//!
//! A worker is called twice. The first call has [`WorkerArgs::start_tsc`] 0: it touches everything the second will
//! touch (code, stack, data, result slot) by doing a small part of the work, and its result is thrown away. In the
//! second call the worker spins on `rdtsc` until `start_tsc`, and times its work.

/// What a worker is given. 64 bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, align(64))]
pub struct WorkerArgs {
    /// The TSC value at which to begin, the same for all workers of a case; 0 for the warm-up call.
    pub start_tsc: u64,
    /// Which worker of the case this is, from 0.
    pub worker: u64,
    /// The workload's own parameters, from the plan.
    pub params: [u64; PARAMS],
}

/// How many parameters a workload can have.
pub const PARAMS: usize = 4;

/// What a worker leaves behind. 64 bytes: one cache line of its own.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, align(64))]
pub struct WorkerResult {
    /// TSC just before the work, after everything earlier had been done (`lfence; rdtsc; lfence`).
    pub begin_tsc: u64,
    /// TSC just after the work, with all of it done (`rdtscp; lfence`, or `lfence; rdtsc; lfence`).
    pub end_tsc: u64,
    /// The answer to the workload's question; for `primes`, how many primes there are.
    pub answer: u64,
    /// How much work was done, exactly, in the workload's own unit; for `primes`, trial divisions.
    pub work: u64,
    /// A digest of the answer's parts that does not depend on their order, so that the sums over the workers of a
    /// case are the same for every number of workers.
    pub digest: u64,
    /// [`COMPLETE`] once all the others are written; anything else means the worker did not finish.
    pub complete: u64,
}

/// The last thing a worker writes: "COMPLETE" in ASCII, which no zeroed or stale page holds by chance.
pub const COMPLETE: u64 = u64::from_le_bytes(*b"COMPLETE");

/// The right shift that turns cycles into scaled cycles, the unit of the field's published tables.
pub const SCALE_SHIFT: u32 = 20;

const _: () = assert!(size_of::<WorkerArgs>() == 64 && size_of::<WorkerResult>() == 64);
