//! The x87 and SSE state of a worker. The kernel is soft-float and never changes it, so a clean state before each
//! entry into ring 3 isolates the workers' states.
#![expect(unsafe_code, reason = "FXRSTOR")]

use core::arch::asm;

/// The FXSAVE area (Intel SDM vol. 1, "FXSAVE Area").
#[repr(C, align(16))]
struct FxArea([u8; 512]);

const CLEAN: FxArea = {
    let mut area = [0; 512];
    // FCW 0x037f and MXCSR 0x1f80: the values after FINIT and reset, all exceptions masked. Linux starts a process
    // with the same.
    area[0] = 0x7f;
    area[1] = 0x03;
    area[24] = 0x80;
    area[25] = 0x1f;
    FxArea(area)
};
static CLEAN_STATE: FxArea = CLEAN;

/// Gives this CPU the state that a new process has: registers zero, exceptions masked.
pub fn reset() {
    // SAFETY: the area is 512 bytes, aligned to 16, and its MXCSR has no reserved bit set; CR4.OSFXSR is on.
    unsafe {
        asm!("fxrstor64 [{}]", in(reg) &raw const CLEAN_STATE.0, options(readonly, nostack, preserves_flags))
    };
}
