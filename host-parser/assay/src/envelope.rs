//! What every command answers with `--json`: one object on standard output, whatever it ends with.

use clap::error::{ContextKind, ContextValue};
use experiment::manifest::{ManifestError, Problem};
use lab::{Coded, Exit, console};
use report::answer::{Answer, Failure, Place, SCHEMA};
use results::disclosure::DisclosureError;
use serde_json::{Map, Value};

use crate::ending::Ending;
use crate::keep::Relayed;

/// The answer of a command.
#[derive(Debug)]
pub struct Envelope(Answer);

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
        Self(Answer {
            reason: ending.reason,
            error: error.map(failure),
            result: data,
            ..empty(Some(command.to_owned()), ending.exit, next)
        })
    }

    /// Of a command line that is wrong.
    pub fn of_usage(command: Option<String>, error: &clap::Error) -> Self {
        let error = Some(failure_of_usage(error));
        Self(Answer { error, ..empty(command, Exit::Usage, Some(Exit::Usage.next().to_owned())) })
    }

    /// Prints it.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub fn print(&self) -> Result<(), Coded> {
        let json =
            serde_json::to_string_pretty(&self.0).expect("text, numbers, and values that are JSON already");
        console::print(&format!("{json}\n"))
    }
}

fn empty(command: Option<String>, exit: Exit, next: Option<String>) -> Answer {
    Answer {
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

fn failure(error: &Coded) -> Failure {
    let relayed = error.causes().find_map(|cause| cause.downcast_ref::<Relayed>());
    let problems = match relayed {
        Some(relayed) => relayed.problems.clone(),
        None => {
            let places = error.causes().find_map(places).or_else(|| unreadable(error));
            places.unwrap_or_default().iter().map(Place::json).collect()
        }
    };
    Failure { message: error.to_string(), problems }
}

fn failure_of_usage(error: &clap::Error) -> Failure {
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
    Failure { message, problems: vec![place.json()] }
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
