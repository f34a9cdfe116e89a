//! Writing to an I/O port: how a guest reports its exit status to QEMU.
#![expect(unsafe_code, reason = "OUT")]

use core::arch::asm;

/// Writes a byte to `port`.
///
/// # Safety
/// The CPU must be allowed to access the port (ring 0, or Linux's `ioperm`), and the write must not break an invariant
/// of the code that owns the device behind it.
pub unsafe fn write_u8(port: u16, value: u8) {
    // SAFETY: the caller's.
    unsafe { asm!("out dx, al", in("dx") port, in("al") value, options(nomem, nostack, preserves_flags)) };
}
