//! Text on standard output and error. `println!` panics if it cannot write: a full disk behind standard output, a reader
//! that has gone, a closed terminal. Results must not be lost to that.

use std::env;
use std::io::{self, IsTerminal, Write};

use crate::exit::{Coded, Exit, OrExit};

/// Writes an answer to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// [`Exit::Output`] if it could not be written.
pub fn answer(text: &str) -> Result<(), Coded> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written
            .map_err(|error| anyhow::Error::new(error).context("standard output: cannot write"))
            .or_exit(Exit::Output),
    }
}

/// Whether an answer may have colours: on a terminal that has them, unless NO_COLOR (https://no-color.org) is set.
#[must_use]
pub fn has_colours() -> bool {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    io::stdout().is_terminal() && set("NO_COLOR").is_none() && set("TERM").is_some_and(|term| term != "dumb")
}

/// Writes a line to standard error, if that can be written.
pub fn note(line: &str) {
    // No place is left to report a failure.
    let _ = writeln!(io::stderr(), "{line}");
}
