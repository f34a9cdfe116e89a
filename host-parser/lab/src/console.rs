//! Text on standard output and error. `println!` panics if it cannot write: a full disk behind standard output, a reader
//! that has gone, a closed terminal. Results must not be lost to that.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

use crate::exit::{Coded, Exit, OrExit};

/// The answer, if it is kept. There is one, as there is one standard output.
static KEPT: OnceLock<Kept> = OnceLock::new();

/// An answer that is kept.
struct Kept {
    /// Whether it is for a program: then it is not printed.
    for_a_program: bool,
    answer: Mutex<Answer>,
}

/// What a command answered.
#[derive(Debug, Default)]
pub struct Answer {
    /// What a person would have read.
    pub text: String,
    /// The same as data.
    pub data: Map<String, Value>,
}

/// From now on keeps answers. Those for a program are not printed: standard output stays empty until [`print`].
pub fn keep_answers(for_a_program: bool) {
    KEPT.get_or_init(|| Kept { for_a_program, answer: Mutex::default() });
}

/// Whether answers are kept for a program.
#[must_use]
pub fn is_for_a_program() -> bool {
    KEPT.get().is_some_and(|kept| kept.for_a_program)
}

/// Takes what was kept until now.
#[must_use]
pub fn take_answer() -> Answer {
    kept().map(|mut answer| std::mem::take(&mut *answer)).unwrap_or_default()
}

/// Adds data to the answer for a program, in place of data of the same name. For a person it does nothing.
///
/// # Errors
/// [`Exit::Output`] if the value has no form in JSON.
pub fn data(name: &str, value: &impl Serialize) -> Result<(), Coded> {
    let Some(mut kept) = kept().filter(|_| is_for_a_program()) else { return Ok(()) };
    let value = serde_json::to_value(value).or_exit(Exit::Output)?;
    kept.data.insert(name.to_owned(), value);
    Ok(())
}

fn kept() -> Option<MutexGuard<'static, Answer>> {
    KEPT.get().map(|kept| kept.answer.lock().unwrap_or_else(PoisonError::into_inner))
}

/// Answers: writes to standard output, or keeps the text for a program.
///
/// # Errors
/// As of [`print`].
pub fn answer(text: &str) -> Result<(), Coded> {
    if let Some(mut kept) = kept() {
        kept.text += text;
    }
    if is_for_a_program() { Ok(()) } else { print(text) }
}

/// Writes to standard output. A reader that has seen enough (`| head`) is no error.
///
/// # Errors
/// [`Exit::Output`] if it could not be written.
pub fn print(text: &str) -> Result<(), Coded> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written
            .map_err(|error| anyhow::Error::new(error).context("standard output: cannot write"))
            .or_exit(Exit::Output),
    }
}

/// Whether an answer may have colours: if nothing keeps it, on a terminal that has them, unless NO_COLOR (https://no-color.org) is set.
#[must_use]
pub fn has_colours() -> bool {
    let set = |name| env::var_os(name).filter(|value| !value.is_empty());
    KEPT.get().is_none()
        && io::stdout().is_terminal()
        && set("NO_COLOR").is_none()
        && set("TERM").is_some_and(|term| term != "dumb")
}

/// Writes a line to standard error, if that can be written.
pub fn note(line: &str) {
    // No place is left to report a failure.
    let _ = writeln!(io::stderr(), "{line}");
}
