//! Ctrl-C, a closed terminal, `kill`: the guest is ended and what was measured is written.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

use crate::CancelToken;

/// A token that a signal cancels.
///
/// # Errors
/// The system's reason why a handler could not be set.
pub fn cancel_on_signals() -> io::Result<CancelToken> {
    let token = CancelToken::new()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        // In this order: whatever is woken must find the flag set.
        flag::register(signal, token.flag())?;
        low_level::pipe::register(signal, token.waker()?)?;
    }
    Ok(token)
}
