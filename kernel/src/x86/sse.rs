//! The x87 and SSE state of a worker. The kernel is soft-float and never changes it, so a clean state before each
//! entry into ring 3 isolates the workers' states. `cpu::xstate` has what XSAVE manages beyond it.
#![expect(unsafe_code, reason = "FXRSTOR and FXSAVE")]

use core::arch::asm;

use abi::random::mix;
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

/// A state of x87 and SSE in which every register differs from every other.
pub struct FpuState(FxArea);

/// The bytes of the area that hold registers: the control words, and after them ST0 to ST7 and XMM0 to XMM15. Not the pointers
/// of the last x87 instruction, which some CPUs do not keep.
const REGISTERS: [core::ops::Range<usize>; 3] = [0..2, 24..28, 32..416];

impl FpuState {
    /// The one with this number.
    #[must_use]
    pub fn of(number: u16) -> Self {
        let mut area = [0; 512];
        for (place, at) in area[32..416].iter_mut().zip(0_u64..) {
            *place = mix(u64::from(number) << 32 | at).to_le_bytes()[0];
        }
        // ST0 to ST7 have 80 of 128 bits.
        for register in area[32..160].chunks_mut(16) {
            register[10..].fill(0);
        }
        // Extended precision, and rounding down, which is not what a worker or a reset has.
        [area[0], area[1]] = (FCW | 1 << 10).to_le_bytes();
        [area[24], area[25], area[26], area[27]] = (MXCSR | 1 << 13).to_le_bytes();
        // No register of x87 is empty.
        area[4] = 0xff;
        Self(FxArea(area))
    }

    /// Puts it into this CPU.
    pub fn load(&self) {
        // SAFETY: as in `reset`; this soft-float kernel keeps nothing in these registers.
        unsafe {
            asm!("fxrstor64 [{}]", in(reg) &raw const self.0.0, options(readonly, nostack, preserves_flags))
        };
    }

    /// How many bytes of this CPU's registers are others.
    #[must_use]
    pub fn differences(&self) -> u16 {
        let mut found = FxArea([0; 512]);
        // SAFETY: the area is 512 bytes, aligned to 16; CR4.OSFXSR is on.
        unsafe { asm!("fxsave64 [{}]", in(reg) &raw mut found.0, options(nostack, preserves_flags)) };
        let bytes = REGISTERS.into_iter().flatten().filter(|&at| found.0[at] != self.0.0[at]);
        u16::try_from(bytes.count()).unwrap_or(u16::MAX)
    }
}
