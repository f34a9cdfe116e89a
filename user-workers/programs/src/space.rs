//! The frame of a worker that needs more than a stack: the memory that it was granted, and a function for each phase.
//!
//! Owns the `unsafe` of such a worker, as [`super::runtime`] does for every worker. Each call makes the references anew
//! from the arguments, and drops them before it returns, so no two of them to one range are alive at a time.

use core::hint::{black_box, spin_loop};
use core::mem::offset_of;
use core::slice;
use core::sync::atomic::AtomicU64;

use abi::worker::{CHUNK_BYTES, COMPLETE, Extent, PARAMS, Phase, WorkerArgs, WorkerResult};

use super::runtime::{Call, Outcome, store, tsc};

/// What a call of a worker may use beyond its image and its stack. Nothing of it was touched by this call before.
pub struct Space<'a> {
    /// The phase of this call.
    pub phase: Phase,
    /// The number of this worker in its case, from 0.
    pub worker: u64,
    /// The number of workers in the case.
    pub workers: u64,
    /// Memory of this worker alone. It is zero at first, and keeps what an earlier call left.
    pub memory: &'a mut [u64],
    /// The corpus.
    pub corpus: &'a [u8],
    /// Memory that all workers of the case share. It is zero at first.
    pub shared: &'a [AtomicU64],
    /// The digests of the chunks, which the host checks one root over.
    pub chunks: Chunks<'a>,
}

/// The result pages of a call, empty at first.
pub struct Chunks<'a> {
    room: &'a mut [[u8; CHUNK_BYTES]],
    count: usize,
}

impl Chunks<'_> {
    /// Adds the digest of the next chunk. More digests than the plan has room for are counted and not kept: then the
    /// worker's result is refused.
    pub fn push(&mut self, digest: [u8; CHUNK_BYTES]) {
        if let Some(place) = self.room.get_mut(self.count) {
            *place = digest;
        }
        self.count += 1;
    }

    /// Drops all digests.
    pub fn clear(&mut self) {
        self.count = 0;
    }
}

/// The functions of a worker.
pub struct Phases<P, W, K, V> {
    /// Makes what the work needs. Called once, with the full parameters.
    pub prepare: P,
    /// Reduces the parameters for the warm-up.
    pub warm_up: W,
    /// The work, in the warm-up and in the timed call.
    pub work: K,
    /// Works out the outcome from what the timed call left.
    pub verify: V,
}

/// For a worker without a prepare function.
pub fn prepare_nothing(_: &Call, _: &mut Space<'_>) {}

/// For a worker without a verify function, whose plan does not ask for the call. The outcome fits nothing.
pub fn verify_nothing(_: &Call, _: &mut Space<'_>) -> Outcome {
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// One call of a worker.
///
/// # Safety
/// `args` can be read and `out` written for as long as this runs, nothing else writes either, and each range of `args` is
/// mapped as [`WorkerArgs`] says.
#[inline(always)]
pub unsafe fn run<P, W, K, V>(args: *const WorkerArgs, out: *mut WorkerResult, phases: &Phases<P, W, K, V>)
where
    P: Fn(&Call, &mut Space<'_>),
    W: Fn([u64; PARAMS]) -> [u64; PARAMS],
    K: Fn(&Call, &mut Space<'_>) -> Outcome,
    V: Fn(&Call, &mut Space<'_>) -> Outcome,
{
    // SAFETY: the caller promises that `args` can be read.
    let args = unsafe { args.read() };
    let Some(phase) = phase_of(args.phase) else { return };
    let params = if phase == Phase::WarmUp { (phases.warm_up)(args.params) } else { args.params };
    let misbehaves = matches!(phase, Phase::Timed | Phase::Verify) && args.worker == 0;
    let call = Call { misbehaves, params, challenge: args.challenge, slot: out };
    // SAFETY: the caller's promise; the references are made once in this call, and each range is another.
    let mut space = unsafe { space(&args, phase) };

    while tsc() < args.start_tsc {
        spin_loop();
    }
    loop {
        space.chunks.clear();
        let begin_tsc = tsc();
        let outcome = match phase {
            Phase::Prepare => {
                (phases.prepare)(&call, &mut space);
                Outcome { answer: 0, work: 0, digest: 0 }
            }
            Phase::WarmUp | Phase::Timed => black_box((phases.work)(black_box(&call), black_box(&mut space))),
            Phase::Verify => (phases.verify)(&call, &mut space),
        };
        let end_tsc = tsc();

        let Outcome { answer, work, digest } = outcome;
        let chunks = space.chunks.count as u64;
        let place = out.wrapping_byte_add(offset_of!(WorkerResult, chunks)).cast::<u64>();
        // SAFETY: the field of a slot, and the caller promises that `out` can be written.
        unsafe { place.write_volatile(chunks) };
        let result = WorkerResult { begin_tsc, end_tsc, answer, work, digest, complete: COMPLETE, chunks };
        // SAFETY: the caller promises that `out` can be written.
        unsafe { store(out, result) }
        // Always so but in the warm-up.
        if end_tsc >= args.warm_until_tsc {
            return;
        }
    }
}

/// The phase of this number; `None` for one that this worker does not know.
const fn phase_of(number: u64) -> Option<Phase> {
    match number {
        1 => Some(Phase::Prepare),
        2 => Some(Phase::WarmUp),
        3 => Some(Phase::Timed),
        4 => Some(Phase::Verify),
        _ => None,
    }
}

/// The space of a call.
///
/// # Safety
/// Each range of `args` is mapped as [`WorkerArgs`] says, and no reference into any of them is alive.
unsafe fn space<'a>(args: &WorkerArgs, phase: Phase) -> Space<'a> {
    let (memory, corpus) = (of::<u64>(args.memory), of::<u8>(args.corpus));
    let (shared, chunks) = (of::<AtomicU64>(args.shared), of::<[u8; CHUNK_BYTES]>(args.chunks));
    // SAFETY: this worker's own memory: mapped, writable, aligned to a page, and in no other range.
    let memory = unsafe { slice::from_raw_parts_mut(memory.0, memory.1) };
    // SAFETY: mapped and never written.
    let corpus = unsafe { slice::from_raw_parts(corpus.0, corpus.1) };
    // SAFETY: mapped and writable; every worker uses it by atomics alone.
    let shared = unsafe { slice::from_raw_parts(shared.0, shared.1) };
    // SAFETY: as for `memory`. The system reads it between calls.
    let room = unsafe { slice::from_raw_parts_mut(chunks.0, chunks.1) };
    let chunks = Chunks { room, count: 0 };
    Space { phase, worker: args.worker, workers: args.workers, memory, corpus, shared, chunks }
}

/// The first address and the number of `T` in a range.
fn of<T>(Extent { at, bytes }: Extent) -> (*mut T, usize) {
    let first = if bytes == 0 { core::ptr::dangling_mut() } else { at as *mut T };
    (first, bytes as usize / size_of::<T>())
}
