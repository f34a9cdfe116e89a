//! Ctrl-C, a closed terminal, `kill`: the guest is ended and what was measured is written.

use crate::CancelToken;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

/// A token that a signal cancels.
///
/// # Errors
/// The system's reason why a handler could not be set.
pub fn cancel_on_signals() -> std::io::Result<CancelToken> {
    let token = CancelToken::new();
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        signal_hook::flag::register(signal, token.flag())?;
    }
    Ok(token)
}
