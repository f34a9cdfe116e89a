//! Ends the machine: by QEMU's debug exit, else by Linux's power-off.
#![expect(unsafe_code, reason = "writes to a port")]

use abi::exit::{DEBUG_EXIT_PORT, GuestExit};
use harness::x86::port;
use rustix::system::{RebootCommand, reboot};

/// Ends the machine, with `exit` for QEMU.
pub fn off(exit: GuestExit) -> ! {
    // SAFETY: asks for the right to use one port; no memory is involved.
    if unsafe { libc::ioperm(DEBUG_EXIT_PORT.into(), 1, 1) } == 0 {
        // SAFETY: the port is the debug exit's, or no device's, and Linux has granted it.
        unsafe { port::write_u8(DEBUG_EXIT_PORT, exit.value()) };
    }
    let _ = reboot(RebootCommand::PowerOff);
    // If neither works, Linux panics when its first process exits.
    std::process::exit(i32::from(exit.value()))
}
