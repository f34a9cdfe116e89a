//! The debug registers and the LDTR, which nothing here uses.
#![expect(unsafe_code, reason = "moves from and to DR6 and DR7, SLDT and LLDT")]

use core::arch::asm;

/// DR6, DR7 and the LDTR's selector.
#[derive(Clone, Copy, Debug)]
pub struct Debug {
    /// Debug status.
    pub dr6: u64,
    /// Debug control.
    pub dr7: u64,
    /// The selector of the local descriptor table.
    pub ldtr: u64,
}

/// The registers now.
#[must_use]
pub fn read() -> Debug {
    let (dr6, dr7, ldtr);
    // SAFETY: reads registers in ring 0. Only DR7.GD could make that fault, and no firmware hands over a machine with it
    // set.
    unsafe {
        asm!("mov {}, dr6", "mov {}, dr7", "sldt {}", out(reg) dr6, out(reg) dr7, out(reg) ldtr, options(nomem, nostack, preserves_flags));
    };
    Debug { dr6, dr7, ldtr }
}

/// Enables no breakpoint, forgets the last one, and makes the LDTR null, so that no selector refers to a table of the
/// firmware. The values are those after a reset (Intel SDM vol. 3A, "Debug Registers").
pub fn reset() {
    // SAFETY: DR7 enables nothing; this kernel has no local descriptor table.
    unsafe {
        asm!("mov dr7, {}", "mov dr6, {}", "lldt {:x}", in(reg) 0x400_u64, in(reg) 0xffff_0ff0_u64, in(reg) 0, options(nostack, preserves_flags));
    };
}
