//! The extended state of a CPU: the upper halves of AVX and all else that XSAVE manages beyond x87 and SSE (Intel SDM vol.
//! 1, "Managing State Using the XSAVE Feature Set"). Ring 3 can use none of it, because CR4.OSXSAVE is off. But upper
//! halves that the firmware left in use slow SSE code down on some CPUs.
#![expect(unsafe_code, reason = "XGETBV, XSETBV, XRSTOR, and CR4")]

use core::arch::asm;

use abi::wire::record::RegisterName;
use alloc::vec::Vec;
use harness::registers::State;
use harness::x86::cpuid::{bit, leaf};
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

/// Nothing is there, so XRSTOR initialises all that it is asked for. It reads MXCSR all the same: the value after a reset.
static INITIAL: Area = Area({
    let mut area = [0; 576];
    area[24] = 0x80;
    area[25] = 0x1f;
    area
});

/// Initialises every component, and gives XCR0 its value after a reset. Returns XCR0, and what is in use if the CPU reports
/// that; nothing on a CPU without XSAVE. Needs the IDT in force.
pub fn settle() -> Vec<State> {
    if !bit(leaf(1, 0).ecx, XSAVE) {
        return Vec::new();
    }
    let before = Cr4::read();
    // SAFETY: the CPU has XSAVE, and this kernel keeps nothing in any of the state.
    unsafe { Cr4::write(before | Cr4Flags::OSXSAVE) };
    let reports = bit(leaf(0xd, 1).eax, XGETBV_1);
    let xcr0 = read(0);
    let components = leaf(0xd, 0);
    let all = u64::from(components.edx) << 32 | u64::from(components.eax);
    // A component that is not enabled may be in use from before: only what is enabled can be initialised.
    // SAFETY: all components that the CPU has at once, so none lacks one that it depends on.
    let enabled = unsafe { probe::write_xcr0(all) };
    // The CPU reports only what is enabled.
    let in_use = reports.then(|| read(1));
    initialise(if enabled { all } else { xcr0 });
    let in_use = in_use.map(|found| State { name: RegisterName::Xinuse, found, value: read(1) });
    // SAFETY: every XCR0 may have x87 alone.
    let _taken = unsafe { probe::write_xcr0(X87) };
    let xcr0 = State { name: RegisterName::Xcr0, found: xcr0, value: read(0) };
    // SAFETY: as it was.
    unsafe { Cr4::write(before) };
    [Some(xcr0), in_use].into_iter().flatten().collect()
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
