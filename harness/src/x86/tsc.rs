//! Reading the time-stamp counter (Intel SDM vol. 3B, "Time-Stamp Counter").
//!
//! The instructions are written out: the compiler's own functions for them belong to SSE2, which the kernel's target does not
//! have, and would be called in the kernel and inlined in its Linux twin.
#![expect(unsafe_code, reason = "RDTSC with its fences")]

use core::arch::asm;

use super::cpuid::{bit, leaf};

/// The counter, read after everything before it has completed and before anything after it begins.
#[must_use]
#[inline(always)]
pub fn read_ordered() -> u64 {
    let (low, high): (u32, u32);
    // LFENCE waits for all earlier instructions. On AMD it does so if DE_CFG[1] is set, which every hypervisor and every
    // firmware since the Spectre guidance sets (AMD, "Software Techniques for Managing Speculation"). The block may touch
    // memory as far as the compiler knows, so that no access moves across it.
    // SAFETY: LFENCE is part of x86_64. CR4.TSD does not bind ring 0, and Linux leaves it clear unless a process asks for it
    // (PR_SET_TSC).
    unsafe {
        asm!("lfence", "rdtsc", "lfence", out("eax") low, out("edx") high, options(nostack, preserves_flags));
    };
    u64::from(high) << 32 | u64::from(low)
}

/// The counter, for time-outs and stamps in which a few cycles do not matter.
#[must_use]
#[inline(always)]
pub fn read() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: for CR4.TSD as in `read_ordered`.
    unsafe { asm!("rdtsc", out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags)) };
    u64::from(high) << 32 | u64::from(low)
}

/// Whether the CPU has RDTSCP.
#[must_use]
pub fn has_rdtscp() -> bool {
    bit(leaf(0x8000_0001, 0).edx, 27)
}

/// The counter by RDTSCP, which waits for all earlier instructions. The CPU has it ([`has_rdtscp`]).
#[must_use]
#[inline(always)]
pub fn read_p() -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: the callers ask `has_rdtscp` first; for CR4.TSD as in `read_ordered`.
    unsafe {
        asm!("rdtscp", out("eax") low, out("edx") high, out("ecx") _, options(nomem, nostack, preserves_flags));
    };
    u64::from(high) << 32 | u64::from(low)
}
