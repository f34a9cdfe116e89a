//! Reading the time-stamp counter (Intel SDM vol. 3B, "Time-Stamp Counter").
#![expect(unsafe_code, reason = "RDTSC with its fences")]

use core::arch::x86_64::{__rdtscp, _mm_lfence, _rdtsc};

use super::cpuid::{bit, leaf};

/// The counter, read after everything before it has completed and before anything after it begins.
#[must_use]
#[inline]
pub fn read_ordered() -> u64 {
    // LFENCE waits for all earlier instructions. On AMD it does so if DE_CFG[1] is set, which every hypervisor and every
    // firmware since the Spectre guidance sets (AMD, "Software Techniques for Managing Speculation").
    // SAFETY: SSE2's LFENCE is part of x86_64.
    unsafe { _mm_lfence() };
    // SAFETY: CR4.TSD does not bind ring 0, and Linux leaves it clear unless a process asks for it (PR_SET_TSC).
    let now = unsafe { _rdtsc() };
    // SAFETY: as above.
    unsafe { _mm_lfence() };
    now
}

/// The counter, for time-outs and stamps in which a few cycles do not matter.
#[must_use]
#[inline]
pub fn read() -> u64 {
    // SAFETY: CR4.TSD does not bind ring 0, and Linux leaves it clear unless a process asks for it (PR_SET_TSC).
    unsafe { _rdtsc() }
}

/// Whether the CPU has RDTSCP.
#[must_use]
pub fn has_rdtscp() -> bool {
    bit(leaf(0x8000_0001, 0).edx, 27)
}

/// The counter by RDTSCP, which waits for all earlier instructions. The CPU has it ([`has_rdtscp`]).
#[must_use]
#[inline]
pub fn read_p() -> u64 {
    let mut aux = 0;
    // SAFETY: the callers ask `has_rdtscp` first; for CR4.TSD as in `read`.
    unsafe { __rdtscp(&raw mut aux) }
}
