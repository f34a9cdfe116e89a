//! The calling convention of a worker, the same under our kernel and inside the Linux twin.
//!
//! A worker is a static position-independent ELF whose entry point is an
//! `extern "C" fn(args: *const WorkerArgs, out: *mut WorkerResult)` (System V AMD64 ABI). It makes no syscall; it
//! returns to its caller. It reads `args`, uses its own image, its stack and the memory that `args` names, and writes
//! nothing else but `out`.
//!
//! A worker is called once in each [`Phase`] that its plan asks for, in this order, on one CPU and in one address space.
//! What it leaves in its own `.data` and `.bss` and in its granted memory is still there in the next call. Every call
//! begins on an empty stack with an empty slot, and with the x87, SSE and wider registers in one state, [`FCW`] and
//! [`MXCSR`].
//!
//! | phase | asked for by | parameters | timed | the slot counts |
//! |---|---|---|---|---|
//! | [`Phase::Prepare`] | `needs prepare=1` | whole | no | no |
//! | [`Phase::WarmUp`] | always, perhaps several times | the program reduces them | no | no |
//! | [`Phase::Timed`] | always, once | whole | yes | times; all of it without a verify call |
//! | [`Phase::Verify`] | `needs verify=1` | whole | no | answer, work, digest, chunks |
//!
//! In the warm-up the worker does a small part of the work, again and again until the TSC has reached
//! [`WorkerArgs::warm_until_tsc`]. So it touches everything that the timed call touches (code, stack, data, result slot),
//! and its CPU has left its idle states and reached its clock. How often it repeats is a matter of time, so the warm-up must
//! leave no trace in what the worker answers. In the timed call the worker spins on `rdtsc` until `start_tsc`, then times
//! its work, once. What it needs first belongs into the prepare call: the start is at most a few milliseconds away. The
//! verify call is made when every worker of the case has come back from its timed call, so it disturbs none.

use crate::plan::Split;

/// A call of a worker. The value of [`WorkerArgs::phase`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[repr(u64)]
pub enum Phase {
    /// Makes what the work needs, with the full parameters. Not timed.
    Prepare = 1,
    /// Does a small part of the work until a given time.
    WarmUp = 2,
    /// Does the work, from the common start on, and times it.
    Timed = 3,
    /// Works out the answer from what the timed call left. Not timed.
    Verify = 4,
}

/// The x87 control word at the entry of every call: the value after FINIT, all exceptions masked.
pub const FCW: u16 = 0x037f;

/// MXCSR at the entry of every call: the value after a reset, all exceptions masked, and the flag PE set. An emulator
/// computes exact results slowly until an inexact one has set the flag; with it set, all do the same from the start.
pub const MXCSR: u32 = 0x1f80 | 1 << 5;

/// A range of memory in a worker's address space: whole pages, or nothing.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C)]
pub struct Extent {
    /// Its first address; 0 if there is none.
    pub at: u64,
    /// Its length in bytes; 0 if there is none.
    pub bytes: u64,
}

/// The arguments of a worker. 192 bytes.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[repr(C, align(64))]
pub struct WorkerArgs {
    /// The TSC value at which to begin, the same for all workers of a case; 0 but in the timed call.
    pub start_tsc: u64,
    /// The number of this worker in its case, from 0.
    pub worker: u64,
    /// The parameters of this worker, from the plan. Their meaning is the workload's.
    pub params: [u64; PARAMS],
    /// The challenge of the plan, which every workload folds into its digest. The same instructions run for every value.
    pub challenge: u64,
    /// The TSC value up to which the warm-up call goes on; 0 in every other call.
    pub warm_until_tsc: u64,
    /// The [`Phase`] of this call.
    pub phase: u64,
    /// The number of workers in the case.
    pub workers: u64,
    /// Memory of this worker alone, zero at first: `memory_mib` of the plan.
    pub memory: Extent,
    /// The corpus: read-only.
    pub corpus: Extent,
    /// Memory that all workers of the case share, zero at first: `shared_kib` of the plan, if the authority names it.
    pub shared: Extent,
    /// The result pages: room for [`CHUNK_BYTES`] for each of the plan's `chunks`.
    pub chunks: Extent,
    /// Further parameters of the tasks of a mechanism row ([`crate::task`]); zero for the workers of a case.
    pub more: [u64; MORE],
}

/// The words of [`WorkerArgs`] in the order of memory.
pub const ARGS_WORDS: usize = size_of::<WorkerArgs>() / 8;

impl WorkerArgs {
    /// No arguments but the phase.
    #[must_use]
    pub fn for_phase(phase: Phase) -> Self {
        Self { phase: phase as u64, ..Self::default() }
    }

    /// These arguments with the number and the parameters of `split`, and with `challenge`.
    #[must_use]
    pub const fn of(self, split: &Split, challenge: u64) -> Self {
        let Split { worker, p0, p1, p2, p3, .. } = *split;
        Self { worker: worker as u64, params: [p0, p1, p2, p3], challenge, ..self }
    }

    /// All words, in the order of memory: what a system writes into the page of arguments.
    #[must_use]
    pub const fn words(&self) -> [u64; ARGS_WORDS] {
        let [p0, p1, p2, p3] = self.params;
        let [m0, m1, m2, m3, m4, m5] = self.more;
        let Self { memory, corpus, shared, chunks, .. } = *self;
        [
            self.start_tsc,
            self.worker,
            p0,
            p1,
            p2,
            p3,
            self.challenge,
            self.warm_until_tsc,
            self.phase,
            self.workers,
            memory.at,
            memory.bytes,
            corpus.at,
            corpus.bytes,
            shared.at,
            shared.bytes,
            chunks.at,
            chunks.bytes,
            m0,
            m1,
            m2,
            m3,
            m4,
            m5,
        ]
    }
}

/// The most parameters that a workload can have.
pub const PARAMS: usize = 4;

/// The further parameters of a task.
pub const MORE: usize = 6;

/// The size of a chunk's digest in the result pages: that of SHA-256.
pub const CHUNK_BYTES: usize = 32;

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
    /// The number of digests in the result pages.
    pub chunks: u64,
}

impl WorkerResult {
    /// The result of a worker that was called to verify: the times of its timed call, `self`, and all else of `verified`.
    #[must_use]
    pub const fn verified_by(self, verified: Self) -> Self {
        // A timed call that did not finish stays so, whatever the verify call says.
        let complete = if self.complete == COMPLETE { verified.complete } else { self.complete };
        Self { begin_tsc: self.begin_tsc, end_tsc: self.end_tsc, complete, ..verified }
    }
}

/// The last word that a worker writes: "COMPLETE" in ASCII, which no zeroed or stale page holds by chance.
pub const COMPLETE: u64 = u64::from_le_bytes(*b"COMPLETE");

/// The right shift from cycles to scaled cycles, the unit of published tables.
pub const SCALE_SHIFT: u32 = 20;

const _: () = assert!(size_of::<WorkerArgs>() == 192 && size_of::<WorkerResult>() == 64);
const _: () = {
    use core::mem::offset_of;
    assert!(offset_of!(WorkerArgs, start_tsc) == 0 && offset_of!(WorkerArgs, worker) == 8);
    assert!(offset_of!(WorkerArgs, params) == 16 && PARAMS == 4 && offset_of!(WorkerArgs, challenge) == 48);
    assert!(offset_of!(WorkerArgs, warm_until_tsc) == 56 && offset_of!(WorkerArgs, phase) == 64);
    assert!(offset_of!(WorkerArgs, workers) == 72 && offset_of!(WorkerArgs, memory) == 80);
    assert!(offset_of!(WorkerArgs, corpus) == 96 && offset_of!(WorkerArgs, shared) == 112);
    assert!(offset_of!(WorkerArgs, chunks) == 128 && offset_of!(Extent, bytes) == 8);
    assert!(offset_of!(WorkerArgs, more) == 144 && MORE == 6);
};
