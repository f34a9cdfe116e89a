//! The scheduling class of the calling thread (sched(7)).
#![expect(unsafe_code, reason = "rustix has no sched_setscheduler")]

use std::io;

/// Lets Linux wake the calling thread as late as it must and no later: a slack of 1 ns (prctl(2), PR_SET_TIMERSLACK).
///
/// # Errors
/// Linux's.
pub fn set_least_slack() -> io::Result<()> {
    let least: libc::c_ulong = 1;
    // SAFETY: takes a number.
    match unsafe { libc::prctl(libc::PR_SET_TIMERSLACK, least) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Puts the calling thread into SCHED_FIFO with this priority. Its children inherit both.
///
/// # Errors
/// Linux does not allow it, or has no such priority.
pub fn become_fifo(priority: i32) -> io::Result<()> {
    set(libc::SCHED_FIFO, priority)
}

/// Puts the calling thread back into SCHED_OTHER.
///
/// # Errors
/// Linux's.
pub fn become_other() -> io::Result<()> {
    set(libc::SCHED_OTHER, 0)
}

fn set(policy: libc::c_int, priority: i32) -> io::Result<()> {
    let parameters = libc::sched_param { sched_priority: priority };
    // SAFETY: 0 is the calling thread, and `parameters` lives for the call.
    match unsafe { libc::sched_setscheduler(0, policy, &raw const parameters) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
