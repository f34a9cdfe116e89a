//! I/O ports: how a guest reports its exit status to QEMU, and reads a timer.
#![expect(unsafe_code, reason = "IN and OUT")]

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

/// Reads four bytes from `port`.
///
/// # Safety
/// As [`write_u8`]: a read can have effects too.
#[must_use]
pub unsafe fn read_u32(port: u16) -> u32 {
    let value: u32;
    // SAFETY: the caller's.
    unsafe { asm!("in eax, dx", in("dx") port, out("eax") value, options(nomem, nostack, preserves_flags)) };
    value
}
