//! Ends the machine: by QEMU's debug exit, else by Linux's power-off. Under a VMM that has no debug exit the command line
//! says what to end by: `assay_after=poweroff` or `assay_after=reboot`. With `assay_after=linger:SECONDS` the machine stays
//! for so long, so that the host can end it, and then powers off; with `assay_after=stay:SECONDS` it takes commands first.
#![expect(unsafe_code, reason = "writes to a port, and handles the signal if that faults")]

use std::ffi::OsStr;
use std::ptr;
use std::time::Duration;

use abi::exit::{DEBUG_EXIT_PORT, GuestExit};
use harness::x86::port;
use libc::c_int;
use rustix::system::{RebootCommand, reboot};

/// The word of the command line, which Linux hands to its first process as an environment variable.
const AFTER: &str = "assay_after";

/// Ends the machine, with `exit` for QEMU.
pub fn off(exit: GuestExit) -> ! {
    let after = std::env::var_os(AFTER);
    if after.is_none() || stay().is_some() {
        debug_exit(exit);
    }
    if let Some(seconds) = after.as_deref().and_then(linger_s) {
        std::thread::sleep(Duration::from_secs(seconds.into()));
    }
    let command = match after {
        Some(after) if after == "reboot" => RebootCommand::Restart,
        _ => RebootCommand::PowerOff,
    };
    let _ = reboot(command);
    // If neither works, Linux panics when its first process exits.
    std::process::exit(i32::from(exit.value()))
}

/// How long to stay; `None` for another word.
fn linger_s(after: &OsStr) -> Option<u32> {
    after.to_str()?.strip_prefix("linger:")?.parse().ok()
}

/// How long the machine waits for each command; `None` if it takes none.
#[must_use]
pub fn stay() -> Option<Duration> {
    let after = std::env::var(AFTER).ok()?;
    after.strip_prefix("stay:")?.parse().ok().map(Duration::from_secs)
}

fn debug_exit(exit: GuestExit) {
    // SAFETY: asks for the right to use one port; no memory is involved.
    if unsafe { libc::ioperm(DEBUG_EXIT_PORT.into(), 1, 1) } == 0 {
        power_off_on_fault();
        // SAFETY: the port is the debug exit's, or no device's, and Linux has granted it.
        unsafe { port::write_u8(DEBUG_EXIT_PORT, exit.value()) };
    }
}

/// Makes a fault of the `out` instruction power the machine off.
///
/// Linux has granted the port, but the CPU may not know: QEMU's TCG reads the I/O permission bitmap only behind a TSS
/// descriptor of type 9, and finds type 11 (AMD APM vol. 2, 4.8.3: busy) if it was loaded by `VMRUN`. So in a guest of
/// KVM on emulated SVM every permitted `in` and `out` of ring 3 ends in #GP. Killed by that, the first process would take Linux
/// with it, and a machine that did its work would seem to have been reset.
fn power_off_on_fault() {
    // SAFETY: all zeros is an action: no flags, no signals blocked, the default handler.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = on_fault as *const () as usize;
    // SAFETY: the handler has the form of an action without SA_SIGINFO, and makes only system calls. If it cannot be
    // installed, the fault ends the machine as it would have without it.
    unsafe { libc::sigaction(libc::SIGSEGV, &raw const action, ptr::null_mut()) };
}

extern "C" fn on_fault(_: c_int) {
    let _ = reboot(RebootCommand::PowerOff);
    // SAFETY: ends the process without running anything else of it.
    unsafe { libc::_exit(i32::from(GuestExit::Panic.value())) }
}
