//! The extended state of a CPU: the upper halves of AVX and all else that XSAVE manages beyond x87 and SSE (Intel SDM vol.
//! 1, "Managing State Using the XSAVE Feature Set").
//!
//! Ring 3 can use AVX and AVX-512 on every CPU that has them, on every boot: CR4.OSXSAVE and XCR0 are the same whatever the
//! plan requires, as under Linux, so there is one state to reason about. Nothing else is enabled. A worker has a CPU to
//! itself from its entry to its return, and the kernel is soft-float, so no state is ever saved: before each entry all of
//! it is put into its initial configuration, which isolates one worker from the next.
#![expect(unsafe_code, reason = "XGETBV, XSETBV, XRSTOR, and CR4")]

use core::arch::asm;

use abi::wire::record::RegisterName;
use abi::worker::MXCSR;
use alloc::vec::Vec;
use harness::registers::State;
use harness::x86::cpuid::{bit, leaf};
use harness::x86::features::{XCR0_AVX, XCR0_AVX512};
use x86_64::registers::control::{Cr4, Cr4Flags};

use super::probe;

/// CPUID.1:ECX: XSAVE and its kind.
const XSAVE: u32 = 26;
/// CPUID.(0DH,1):EAX: XGETBV with ECX = 1.
const XGETBV_1: u32 = 2;
/// XCR0 after a reset: x87 alone.
const X87: u64 = 1;

/// The legacy area and the header of an XSAVE area. If no component is marked as there, the rest is not read.
#[repr(C, align(64))]
struct Area([u8; 576]);

/// Nothing is there, so XRSTOR initialises all that it is asked for. It loads MXCSR all the same.
static INITIAL: Area = Area({
    let mut area = [0; 576];
    let mxcsr = MXCSR.to_le_bytes();
    let mut i = 0;
    while i < mxcsr.len() {
        area[24 + i] = mxcsr[i];
        i += 1;
    }
    area
});

/// Initialises every component that the CPU has, and enables those that ring 3 can use. Returns XCR0, and what is in use if
/// the CPU reports that; nothing on a CPU without XSAVE, for which CR4.OSXSAVE stays off. Needs the IDT in force.
pub fn settle() -> Vec<State> {
    if !bit(leaf(1, 0).ecx, XSAVE) {
        return Vec::new();
    }
    // SAFETY: the CPU has XSAVE, and this kernel keeps nothing in any of the state.
    unsafe { Cr4::write(Cr4::read() | Cr4Flags::OSXSAVE) };
    let reports = bit(leaf(0xd, 1).eax, XGETBV_1);
    let found = read(0);
    let components = leaf(0xd, 0);
    let all = u64::from(components.edx) << 32 | u64::from(components.eax);
    // A component that is not enabled may be in use from before: only what is enabled can be initialised.
    // SAFETY: all components that the CPU has at once, so none lacks one that it depends on.
    let enabled = unsafe { probe::write_xcr0(all) };
    // The CPU reports only of what is enabled.
    let in_use = reports.then(|| read(1));
    initialise(if enabled { all } else { found });
    let in_use = in_use.map(|found| State { name: RegisterName::Xinuse, found, value: read(1) });
    // SAFETY: `usable` keeps the rules of XCR0, and nothing is kept in the state.
    let _taken = unsafe { probe::write_xcr0(usable(all)) };
    let xcr0 = State { name: RegisterName::Xcr0, found, value: read(0) };
    [Some(xcr0), in_use].into_iter().flatten().collect()
}

/// What ring 3 is given of `all` components: x87, SSE, AVX, and AVX-512 if it is whole. Not MPX and PKRU, which need more
/// than state, and not the tiles of AMX, whose 8 KiB no workload asks for.
const fn usable(all: u64) -> u64 {
    let avx = all & XCR0_AVX == XCR0_AVX;
    let avx512 = avx && all & XCR0_AVX512 == XCR0_AVX512;
    X87 | if avx { XCR0_AVX } else { 0 } | if avx512 { XCR0_AVX512 } else { 0 }
}

/// Puts everything that ring 3 can use beyond the legacy area of x87 and SSE into its initial configuration, on this CPU.
pub fn reset() {
    if Cr4::read().contains(Cr4Flags::OSXSAVE) {
        initialise(read(0) & (XCR0_AVX | XCR0_AVX512));
    }
}

/// Puts `components` into their initial configuration.
fn initialise(components: u64) {
    let [low, high] = [components & 0xffff_ffff, components >> 32];
    // SAFETY: the area is aligned to 64 bytes, marks no component as there, and its MXCSR has no reserved bit set; XCR0
    // has all components; this soft-float kernel keeps nothing in them.
    unsafe {
        asm!("xrstor64 [{}]", in(reg) &raw const INITIAL.0, in("eax") low, in("edx") high, options(readonly, nostack, preserves_flags));
    };
}

/// The extended control register with this number.
fn read(number: u32) -> u64 {
    let (low, high): (u32, u32);
    // SAFETY: CR4.OSXSAVE is on, and the CPU has the register.
    unsafe {
        asm!("xgetbv", in("ecx") number, out("eax") low, out("edx") high, options(nomem, nostack, preserves_flags));
    };
    u64::from(high) << 32 | u64::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn enables_whole_sets_of_state_only() {
        assert_eq!(usable(0b11), 0b1);
        assert_eq!(usable(0b111), 0b111);
        // MPX, a part of AVX-512, PKRU and AMX.
        assert_eq!(usable(0b1_1111 | 1 << 5 | 1 << 9 | 3 << 17), 0b111);
        assert_eq!(usable(0x2_02e7), 0xe7);
    }
}
