//! The form of what every command answers with `--json` (docs/JSON.md). The command fills it in.

use evidence::gate::ReasonCode;
use serde::Serialize;
use serde_json::{Map, Value};

/// Version of the answer's form. It increases when a key is removed or changes its meaning; of a `result` too.
pub const SCHEMA: u32 = 1;

/// One object on standard output, whatever the command ends with.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Answer {
    /// [`SCHEMA`].
    pub schema: u32,
    /// The command, such as `exact check`; null if the command line names none.
    pub command: Option<String>,
    /// The exit code, as a number; docs/GATE.md has the table.
    pub exit_code: u8,
    /// The same as a word.
    pub exit: &'static str,
    /// The same as a sentence.
    pub meaning: &'static str,
    /// The code of the gate's reason, if something was refused.
    pub reason: Option<ReasonCode>,
    /// Why the command could not do what it was to do.
    pub error: Option<Failure>,
    /// What to do next.
    pub next: Option<String>,
    /// What the command found; of a command that has only text, that text. What was found before an error is in it.
    pub result: Map<String, Value>,
}

/// An error.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// What happened.
    pub message: String,
    /// Each place in a file, or each option, that is wrong.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Place>"))]
    pub problems: Vec<Value>,
}

/// What is wrong at one place.
#[derive(Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Place {
    /// The file.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column, from 1.
    pub column: Option<usize>,
    /// The key in the file, or the option.
    pub key: Option<String>,
    /// What would be right.
    pub expected: Option<String>,
    /// What is there.
    pub found: Option<String>,
    /// What is wrong.
    pub message: String,
}

impl Place {
    /// As part of an answer.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::to_value(self).expect("text and numbers")
    }
}
