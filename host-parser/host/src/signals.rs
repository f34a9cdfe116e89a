//! Ctrl-C, a closed terminal and `kill` end the guest; the results so far are written.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::CancelToken;

/// A token that SIGINT, SIGTERM or SIGHUP cancels.
///
/// # Errors
/// The system's error if a handler cannot be installed.
pub fn cancel_on_signals() -> io::Result<CancelToken> {
    let token = CancelToken::new()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: a waiter that the pipe wakes must find the flag set.
        flag::register(signal, token.flag())?;
        low_level::pipe::register(signal, token.waker()?)?;
    }
    Ok(token)
}
