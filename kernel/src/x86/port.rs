//! Port I/O. Reading or writing a port can affect any device, so each caller states which device it owns.
#![expect(unsafe_code, reason = "IN and OUT")]

use x86_64::instructions::port::Port;

pub use harness::x86::port::{read_u32, write_u8};

/// Writes two bytes to `port`.
///
/// # Safety
/// As [`write_u8`].
pub unsafe fn write_u16(port: u16, value: u16) {
    // SAFETY: the caller's.
    unsafe { Port::new(port).write(value) }
}

/// Writes four bytes to `port`.
///
/// # Safety
/// As [`write_u8`].
pub unsafe fn write_u32(port: u16, value: u32) {
    // SAFETY: the caller's.
    unsafe { Port::new(port).write(value) }
}

/// Reads a byte from `port`.
///
/// # Safety
/// As [`write_u8`]: a read can have effects too.
pub unsafe fn read_u8(port: u16) -> u8 {
    // SAFETY: the caller's.
    unsafe { Port::new(port).read() }
}

/// Reads two bytes from `port`.
///
/// # Safety
/// As [`write_u8`].
pub unsafe fn read_u16(port: u16) -> u16 {
    // SAFETY: the caller's.
    unsafe { Port::new(port).read() }
}
