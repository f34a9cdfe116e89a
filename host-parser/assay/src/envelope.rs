//! What every command answers with `--json`: one object on standard output, whatever it ends with.

use clap::error::{ContextKind, ContextValue};
use evidence::gate::ReasonCode;
use experiment::manifest::{ManifestError, Problem};
use lab::{Coded, Exit, console};
use results::disclosure::DisclosureError;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::ending::Ending;
use crate::keep::Relayed;

/// Version of the envelope. It increases when a key is removed or changes its meaning; of a `result` too.
pub const SCHEMA: u32 = 1;

/// The object.
#[derive(Debug, Serialize)]
pub struct Envelope {
    schema: u32,
    /// The command, such as `exact check`; none if the command line names none.
    command: Option<String>,
    /// The exit code, as a number and as a word; docs/GATE.md has the table.
    exit_code: u8,
    exit: &'static str,
    meaning: &'static str,
    /// The code of the gate's reason, if something was refused.
    reason: Option<ReasonCode>,
    /// Why the command could not do what it was to do.
    error: Option<Failure>,
    /// What to do next.
    next: Option<String>,
    /// What the command found; of a command that has only text, that text. What was found before an error is in it.
    result: Map<String, Value>,
}

/// An error.
#[derive(Debug, Serialize)]
pub struct Failure {
    message: String,
    /// Each place in a file, or each option, that is wrong.
    problems: Vec<Value>,
}

/// What is wrong at one place.
#[derive(Debug, Default, Serialize)]
struct Place {
    file: Option<String>,
    line: Option<usize>,
    column: Option<usize>,
    /// The key in the file, or the option.
    key: Option<String>,
    /// What would be right.
    expected: Option<String>,
    /// What is there.
    found: Option<String>,
    message: String,
}

impl Envelope {
    /// Of a command that ended, with all that it answered. `error` is what ended it.
    pub fn of(
        command: &str,
        ending: &Ending,
        error: Option<&Coded>,
        next: Option<String>,
        answer: console::Answer,
    ) -> Self {
        let console::Answer { text, mut data } = answer;
        if data.is_empty() && !text.is_empty() {
            data.insert("text".to_owned(), Value::String(text));
        }
        Self {
            reason: ending.reason,
            error: error.map(Failure::of),
            result: data,
            ..Self::empty(Some(command.to_owned()), ending.exit, next)
        }
    }

    /// Of a command line that is wrong.
    pub fn of_usage(command: Option<String>, error: &clap::Error) -> Self {
        let error = Some(Failure::of_usage(error));
        Self { error, ..Self::empty(command, Exit::Usage, Some(Exit::Usage.next().to_owned())) }
    }

    fn empty(command: Option<String>, exit: Exit, next: Option<String>) -> Self {
        Self {
            schema: SCHEMA,
            command,
            exit_code: exit as u8,
            exit: exit.word(),
            meaning: exit.meaning(),
            reason: None,
            error: None,
            next,
            result: Map::new(),
        }
    }

    /// Prints it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self) -> Result<(), Coded> {
        let json =
            serde_json::to_string_pretty(self).expect("text, numbers, and values that are JSON already");
        console::print(&format!("{json}\n"))
    }
}

impl Failure {
    fn of(error: &Coded) -> Self {
        let relayed = error.causes().find_map(|cause| cause.downcast_ref::<Relayed>());
        let problems = match relayed {
            Some(relayed) => relayed.problems.clone(),
            None => {
                let places = error.causes().find_map(places).or_else(|| unreadable(error));
                places.unwrap_or_default().iter().map(Place::json).collect()
            }
        };
        Self { message: error.to_string(), problems }
    }

    fn of_usage(error: &clap::Error) -> Self {
        let text = |kind| error.get(kind).map(shown);
        let place = Place {
            key: text(ContextKind::InvalidArg).or_else(|| text(ContextKind::InvalidSubcommand)),
            expected: text(ContextKind::ValidValue).or_else(|| text(ContextKind::ValidSubcommand)),
            found: text(ContextKind::InvalidValue),
            message: error.kind().to_string(),
            ..Place::default()
        };
        let whole = error.render().to_string();
        let message = whole.split("\n\n").next().unwrap_or_default().trim();
        let message = message.strip_prefix("error: ").unwrap_or(message).to_owned();
        Self { message, problems: vec![place.json()] }
    }
}

impl Place {
    fn json(&self) -> Value {
        serde_json::to_value(self).expect("text and numbers")
    }
}

/// The places that an error names; `None` if it is of a kind that names none.
fn places(error: &(dyn std::error::Error + 'static)) -> Option<Vec<Place>> {
    let (path, problems) = match (error.downcast_ref(), error.downcast_ref()) {
        (Some(ManifestError::Invalid { path, problems }), _) => (path, problems.as_slice()),
        (_, Some(DisclosureError::Invalid { path, problems })) => (path, problems.as_slice()),
        (Some(ManifestError::Read { path, source }), _)
        | (_, Some(DisclosureError::Read { path, source })) => {
            let (file, message) = (Some(path.display().to_string()), source.to_string());
            return Some(vec![Place { file, message, ..Place::default() }]);
        }
        (None, None) => return None,
    };
    Some(problems.iter().map(|problem| place(path.display().to_string(), problem)).collect())
}

/// A file that cannot be read or written: the system's error, below what names the file.
fn unreadable(error: &Coded) -> Option<Vec<Place>> {
    let causes: Vec<_> = error.causes().collect();
    let [.., about, cause] = causes.as_slice() else { return None };
    let cause = cause.downcast_ref::<std::io::Error>()?;
    let (file, message) = (Some(about.to_string()), cause.to_string());
    Some(vec![Place { file, message, ..Place::default() }])
}

fn place(file: String, problem: &Problem) -> Place {
    let (expected, found) = problem.expected_and_found().unzip();
    Place {
        file: Some(file),
        line: Some(problem.line),
        column: Some(problem.column),
        key: Some(problem.key.clone()).filter(|key| !key.is_empty()),
        expected: expected.map(str::to_owned),
        found: found.flatten().map(str::to_owned),
        message: problem.message.clone(),
    }
}

fn shown(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(all) => all.join(", "),
        ContextValue::String(one) => one.clone(),
        other => other.to_string(),
    }
}
