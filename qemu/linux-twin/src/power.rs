//! Ending the machine: QEMU's debug exit, else Linux's power-off.
#![expect(unsafe_code, reason = "writes to a port")]

use abi::exit::GuestExit;
use kernel::power::DEBUG_EXIT;
use kernel::x86::port;
use rustix::system::{RebootCommand, reboot};

/// Ends the machine. `exit` is what QEMU's caller learns.
pub fn off(exit: GuestExit) -> ! {
    // SAFETY: asks for the right to use one port; no memory is involved.
    if unsafe { libc::ioperm(DEBUG_EXIT.into(), 1, 1) } == 0 {
        // SAFETY: the port is the debug exit's, or nobody's, and Linux has granted it.
        unsafe { port::write_u8(DEBUG_EXIT, exit.value()) };
    }
    let _ = reboot(RebootCommand::PowerOff);
    // A machine that survives this ends by Linux's panic at the death of its first process.
    std::process::exit(i32::from(exit.value()))
}
