//! The frame of a worker: the entry point, the wait for the common start, the clock, the result slot. A workload has no
//! need to change it. The layouts are Assay's worker call (`abi::worker`), which is the same under every system.
//!
//! A worker has no system, no standard library and no syscall: it is called, works and returns.
#![allow(dead_code, reason = "a workload uses some of this")]

use core::arch::asm;
use core::hint::{black_box, spin_loop};

/// A range of memory: empty if the manifest grants none.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Extent {
    /// The first address.
    pub at: u64,
    /// The number of bytes.
    pub bytes: u64,
}

/// The arguments of a call.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct Args {
    start_tsc: u64,
    /// The number of this worker in its case, from 0.
    pub worker: u64,
    /// The first item, the end of the items, and two further parameters, as the manifest has them.
    pub params: [u64; 4],
    challenge: u64,
    warm_until_tsc: u64,
    /// [`PREPARE`], [`WARM_UP`], [`TIMED`] or [`VERIFY`].
    pub phase: u64,
    /// The number of workers in the case.
    pub workers: u64,
    /// Memory of this worker alone, zero at first and kept from call to call: `memory-mib`.
    pub memory: Extent,
    /// The corpus, read-only: `corpus-mib`.
    pub corpus: Extent,
    /// Memory that all workers of a case share: `shared-kib`.
    pub shared: Extent,
}

/// A call before the warm-up, not timed, if `calls` in the manifest has `prepare`.
pub const PREPARE: u64 = 1;
/// A small part of the work, repeated until the CPU has its speed. What it leaves must not change any answer.
pub const WARM_UP: u64 = 2;
/// The work, timed.
pub const TIMED: u64 = 3;
/// A call after the work, not timed, if `calls` in the manifest has `verify`. Then its outcome counts.
pub const VERIFY: u64 = 4;

/// What a call gives. A system checks it against the oracle.
#[derive(Clone, Copy, Default)]
pub struct Outcome {
    answer: u64,
    work: u64,
    digest: u64,
}

impl Outcome {
    /// Adds an item: its answer, its work, and a digest of what the answer is made of, as the oracle has them.
    pub fn add(&mut self, args: &Args, answer: u64, work: u64, digest: u64) {
        self.answer = self.answer.wrapping_add(answer);
        self.work = self.work.wrapping_add(work);
        self.digest = self.digest.wrapping_add(mix(digest ^ args.challenge));
    }
}

/// Spreads a number's bits (SplitMix64). With the challenge of the run in it, no answer of another run fits.
const fn mix(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One call of a worker that does `work`.
///
/// # Safety
/// A system calls it, with arguments that can be read and a slot that can be written.
#[inline(always)]
pub unsafe fn run(args: *const Args, slot: *mut u64, warm_up_items: u64, work: impl Fn(&Args) -> Outcome) {
    // SAFETY: the caller's promise.
    let mut args = unsafe { args.read() };
    if args.phase == WARM_UP {
        args.params[1] = args.params[1].min(args.params[0].saturating_add(warm_up_items));
    }
    while tsc() < args.start_tsc {
        spin_loop();
    }
    loop {
        let begin = tsc();
        // The compiler may move arithmetic across the clock, but not across `black_box`.
        let Outcome { answer, work, digest } = black_box(work(black_box(&args)));
        let end = tsc();
        for (at, value) in [begin, end, answer, work, digest, COMPLETE].into_iter().enumerate() {
            // SAFETY: the slot has 8 words, and the caller promises that it can be written.
            unsafe { slot.add(at).write_volatile(value) }
        }
        // Always so but in the warm-up.
        if end >= args.warm_until_tsc {
            return;
        }
    }
}

/// The last word that a worker writes.
const COMPLETE: u64 = u64::from_le_bytes(*b"COMPLETE");

/// The time-stamp counter, read after all before it is done and before anything after it begins.
#[inline(always)]
fn tsc() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: reads a counter. Not `nomem`: memory accesses must not be moved across it.
    unsafe {
        asm!("lfence", "rdtsc", "lfence", out("eax") low, out("edx") high, options(nostack, preserves_flags));
    }
    u64::from(high) << 32 | u64::from(low)
}

/// A worker cannot print that it panicked. It takes an invalid-opcode fault, which the system reports.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    // SAFETY: does not return.
    unsafe { asm!("ud2", options(noreturn, nostack)) }
}
