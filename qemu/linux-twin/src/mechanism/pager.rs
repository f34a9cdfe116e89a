//! What resolves the page faults of `fault_served` on Linux: a handler of SIGSEGV in the process itself.
#![expect(unsafe_code, reason = "installs a signal handler, which maps memory")]

use std::io;
use std::sync::atomic::{AtomicI32, Ordering};

use abi::task::{MAPPED_AT, Orders};
use abi::worker::WorkerArgs;
use libc::{c_int, c_void, siginfo_t};

use crate::worker::map::PAGE;
use crate::worker::traps;

/// The pages of the row's memory.
const PAGES: usize = 512;

/// The descriptor of the memory.
static MEMORY: AtomicI32 = AtomicI32::new(-1);

/// Has faults of this process at the row's pages resolved from here on; any other is what it was.
///
/// # Errors
/// Linux's.
pub fn take(args: WorkerArgs) -> io::Result<()> {
    let number = i32::try_from(Orders::of(&args).other).map_err(io::Error::other)?;
    MEMORY.store(number, Ordering::Release);
    traps::install(libc::SIGSEGV, on_fault)
}

extern "C" fn on_fault(signal: c_int, info: *mut siginfo_t, context: *mut c_void) {
    // SAFETY: Linux passes what it has to a handler with SA_SIGINFO.
    let info_of_fault = unsafe { &*info };
    // SAFETY: the signal is one of a fault, which has an address.
    let address = unsafe { info_of_fault.si_addr() }.addr();
    let first = usize::try_from(MAPPED_AT).unwrap_or(usize::MAX);
    let page = address.wrapping_sub(first) / PAGE;
    if page >= PAGES {
        return traps::on_fault(signal, info, context);
    }
    let at = (first + page * PAGE) as *mut c_void;
    let rights = libc::PROT_READ | libc::PROT_WRITE;
    let flags = libc::MAP_SHARED | libc::MAP_FIXED | libc::MAP_POPULATE;
    let offset = libc::off_t::try_from(page * PAGE).unwrap_or(0);
    // SAFETY: a page of the row, at which nothing else is. A system call: async-signal-safe.
    let mapped = unsafe { libc::mmap(at, PAGE, rights, flags, MEMORY.load(Ordering::Acquire), offset) };
    if mapped != at {
        traps::on_fault(signal, info, context);
    }
}
