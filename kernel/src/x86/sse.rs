//! The x87 and SSE state of a worker. The kernel is soft-float and never changes it, so a clean state before each
//! entry into ring 3 isolates the workers' states. `cpu::xstate` has what XSAVE manages beyond it.
#![expect(unsafe_code, reason = "FXRSTOR")]

use core::arch::asm;

use abi::worker::{FCW, MXCSR};

/// The FXSAVE area (Intel SDM vol. 1, "FXSAVE Area").
#[repr(C, align(16))]
struct FxArea([u8; 512]);

const CLEAN: FxArea = {
    let mut area = [0; 512];
    [area[0], area[1]] = FCW.to_le_bytes();
    [area[24], area[25], area[26], area[27]] = MXCSR.to_le_bytes();
    FxArea(area)
};
static CLEAN_STATE: FxArea = CLEAN;

/// Gives this CPU the state that every call of a worker begins with: registers zero, exceptions masked.
pub fn reset() {
    // SAFETY: the area is 512 bytes, aligned to 16, and its MXCSR has no reserved bit set; CR4.OSFXSR is on.
    unsafe {
        asm!("fxrstor64 [{}]", in(reg) &raw const CLEAN_STATE.0, options(readonly, nostack, preserves_flags))
    };
}
