//! Ends the machine: by QEMU's debug exit, else by Linux's power-off. Under a VMM that has no debug exit the command line
//! says what to end by: `assay_after=poweroff` or `assay_after=reboot`.
#![expect(unsafe_code, reason = "writes to a port")]

use abi::exit::{DEBUG_EXIT_PORT, GuestExit};
use harness::x86::port;
use rustix::system::{RebootCommand, reboot};

/// The word of the command line, which Linux hands to its first process as an environment variable.
const AFTER: &str = "assay_after";

/// Ends the machine, with `exit` for QEMU.
pub fn off(exit: GuestExit) -> ! {
    let after = std::env::var_os(AFTER);
    if after.is_none() {
        debug_exit(exit);
    }
    let command = match after {
        Some(after) if after == "reboot" => RebootCommand::Restart,
        _ => RebootCommand::PowerOff,
    };
    let _ = reboot(command);
    // If neither works, Linux panics when its first process exits.
    std::process::exit(i32::from(exit.value()))
}

fn debug_exit(exit: GuestExit) {
    // SAFETY: asks for the right to use one port; no memory is involved.
    if unsafe { libc::ioperm(DEBUG_EXIT_PORT.into(), 1, 1) } == 0 {
        // SAFETY: the port is the debug exit's, or no device's, and Linux has granted it.
        unsafe { port::write_u8(DEBUG_EXIT_PORT, exit.value()) };
    }
}
