//! The frame of every worker: the entry point, the wait for the common start, the clock, the result slot.
//!
//! Owns all `unsafe` that a worker needs which has a stack and nothing else; [`super::space`] is for the others. Makes no
//! syscall, keeps no state outside its stack and the slot, and runs the same instructions in the warm-up call and the timed call. Only the parameters, the start and the number of
//! turns differ, so the first call has touched all that the second touches, the end-of-work path and the slot included.

use core::arch::asm;
use core::hint::{black_box, spin_loop};

use abi::worker::{COMPLETE, PARAMS, WorkerArgs, WorkerResult};

/// A call of a worker, as its work receives it.
#[derive(Clone, Copy)]
pub struct Call {
    /// Whether a control misbehaves in this call: the timed call of worker 0.
    #[allow(dead_code, reason = "only controls read it")]
    pub misbehaves: bool,
    /// The parameters, already cut down for a warm-up.
    pub params: [u64; PARAMS],
    /// The challenge, to be folded into the digest.
    pub challenge: u64,
    /// The result slot.
    #[allow(dead_code, reason = "only a control reads it")]
    pub slot: *mut WorkerResult,
}

/// The outcome of the work.
#[derive(Clone, Copy)]
pub struct Outcome {
    /// See [`WorkerResult::answer`].
    pub answer: u64,
    /// See [`WorkerResult::work`].
    pub work: u64,
    /// See [`WorkerResult::digest`].
    pub digest: u64,
}

/// Makes a program.
///
/// `worker!(warm_up, work)` is for a worker that needs its stack and nothing else: `fn warm_up([u64; 4]) -> [u64; 4]`
/// reduces the parameters for the warm-up call, and `fn work(&Call) -> Outcome` does the work.
///
/// ```text
/// worker! {
///     warm_up: path,
///     work: path,
///     prepare: path,
///     verify: path,
/// }
/// ```
///
/// is for a worker that needs memory, a corpus, result pages or more calls; `prepare` and `verify` may be left out. Here
/// `work` and `verify` are `fn(&Call, &mut Space) -> Outcome`, and `prepare` is `fn(&Call, &mut Space)`; see
/// [`super::space`]. The outcome of `verify` counts if there is one, and the times of the timed call.
#[allow(unused_macros, reason = "the tasks of the mechanism rows have an entry of their own")]
macro_rules! worker {
    (
        warm_up: $warm_up:path,
        work: $work:path
        $(, prepare: $prepare:path)?
        $(, verify: $verify:path)?
        $(,)?
    ) => {
        /// The entry point: the kernel or the Linux twin calls it.
        ///
        /// # Safety
        /// `args` can be read and `out` written for as long as this runs, nothing else writes either, and each range of
        /// `args` is mapped.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn worker_entry(
            args: *const abi::worker::WorkerArgs,
            out: *mut abi::worker::WorkerResult,
        ) {
            let phases = $crate::worker::space::Phases {
                prepare: $crate::worker::worker!(@or $crate::worker::space::prepare_nothing $(, $prepare)?),
                warm_up: $warm_up,
                work: $crate::worker::control::or_skipping!($warm_up, $work),
                verify: $crate::worker::worker!(@or $crate::worker::space::verify_nothing $(, $verify)?),
            };
            // SAFETY: the caller's promise is the one that `run` asks for.
            unsafe { $crate::worker::space::run(args, out, &phases) }
        }
    };
    (@or $default:path) => { $default };
    (@or $default:path, $given:path) => { $given };
    ($warm_up:path, $work:path) => {
        /// The entry point: the kernel or the Linux twin calls it.
        ///
        /// # Safety
        /// `args` can be read and `out` written for as long as this runs, and nothing else writes either.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn worker_entry(
            args: *const abi::worker::WorkerArgs,
            out: *mut abi::worker::WorkerResult,
        ) {
            // SAFETY: the caller's promise is the one that `run` asks for.
            unsafe { $crate::worker::runtime::run(args, out, $warm_up, $work) }
        }
    };
}
pub(crate) use worker;

/// One call of a worker.
///
/// # Safety
/// `args` can be read and `out` written for as long as this runs, and nothing else writes either.
#[inline(always)]
#[allow(dead_code, reason = "a program uses this one or that of `space`")]
pub unsafe fn run(
    args: *const WorkerArgs,
    out: *mut WorkerResult,
    warm_up: impl Fn([u64; PARAMS]) -> [u64; PARAMS],
    work: impl Fn(&Call) -> Outcome,
) {
    // SAFETY: the caller promises that `args` can be read.
    let WorkerArgs { start_tsc, worker, params, challenge, warm_until_tsc, .. } = unsafe { args.read() };
    let timed = start_tsc != 0;
    let params = if timed { params } else { warm_up(params) };
    let call = Call { misbehaves: timed && worker == 0, params, challenge, slot: out };

    while tsc() < start_tsc {
        spin_loop();
    }
    loop {
        let begin_tsc = tsc();
        // The compiler may move arithmetic across the clock's `asm!`, but not `black_box`: it does not know the input
        // until after the first reading, and needs the output before the last.
        let outcome = black_box(work(&black_box(call)));
        let end_tsc = tsc();

        let Outcome { answer, work, digest } = outcome;
        // SAFETY: the caller promises that `out` can be written.
        unsafe {
            store(
                out,
                WorkerResult { begin_tsc, end_tsc, answer, work, digest, complete: COMPLETE, chunks: 0 },
            )
        }
        // Always so in the timed call.
        if end_tsc >= warm_until_tsc {
            return;
        }
    }
}

/// Writes the slot without `chunks`, and `complete` last; x86 keeps the order of stores (Intel SDM vol. 3A, "Memory Ordering").
///
/// # Safety
/// `out` can be written.
pub(crate) unsafe fn store(out: *mut WorkerResult, result: WorkerResult) {
    // Eight bytes at a time and volatile: neither reordered, nor left out, nor made a call of `memcpy`.
    let write = |at: usize, value: u64| {
        // SAFETY: `at` is the offset of a field, and the caller promises that `out` can be written.
        unsafe { out.wrapping_byte_add(at).cast::<u64>().write_volatile(value) }
    };
    write(core::mem::offset_of!(WorkerResult, begin_tsc), result.begin_tsc);
    write(core::mem::offset_of!(WorkerResult, end_tsc), result.end_tsc);
    write(core::mem::offset_of!(WorkerResult, answer), result.answer);
    write(core::mem::offset_of!(WorkerResult, work), result.work);
    write(core::mem::offset_of!(WorkerResult, digest), result.digest);
    write(core::mem::offset_of!(WorkerResult, complete), result.complete);
}

/// The time-stamp counter, read after everything before it is done and before anything after it begins.
///
/// RDTSC alone does not wait for earlier instructions, and later ones may begin before it. LFENCE waits until all
/// earlier instructions have completed, and no later one begins before it has (Intel SDM vol. 2, "RDTSC" and "LFENCE").
/// On AMD this holds with DE_CFG[1] set, as every hypervisor sets it, and firmware since the Spectre guidance.
#[inline(always)]
pub(crate) fn tsc() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter; the caller sees to it that CR4.TSD does not forbid that. No memory, no stack, no flags.
    // Not `nomem`: memory accesses must not be moved across it.
    unsafe {
        asm!("lfence", "rdtsc", "lfence", out("eax") low, out("edx") high, options(nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// A worker cannot print that it panicked. It takes an invalid-opcode fault, which the kernel reports.
///
/// A test harness brings the standard library, and with it another handler: `cargo check --all-targets` makes one.
#[cfg(not(test))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: does not return.
    unsafe { asm!("ud2", options(noreturn, nostack)) }
}
