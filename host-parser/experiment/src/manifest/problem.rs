//! The problems of a manifest, with their place.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::de::{DeTable, DeValue};

/// Why a manifest cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not a valid manifest. It has at least one problem; they are in the order of the lines.
    #[error("{}", listing(path, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All problems.
        problems: Vec<Problem>,
    },
}

impl ManifestError {
    /// The error of the manifest at `path` that has these problems.
    pub(super) fn invalid(path: &Path, mut problems: Vec<Problem>) -> Self {
        problems.sort_by_key(|problem| (problem.line, problem.column));
        Self::Invalid { path: path.to_owned(), problems }
    }
}

/// One problem.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// The key with its tables, such as `gate.min-speedup`; without the tables, or empty, if the text is not TOML.
    pub key: String,
    /// What was expected and what was found.
    pub message: String,
}

/// `path:line:column: key: message` for each problem, one a line.
#[must_use]
pub fn listing(path: &Path, problems: &[Problem]) -> String {
    let lines = problems.iter().map(|problem| format!("{}:{problem}", path.display()));
    lines.collect::<Vec<_>>().join("\n")
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

impl Problem {
    /// What would be right, and what is there, if the message is of the form `expected .., found ..`.
    #[must_use]
    pub fn expected_and_found(&self) -> Option<(&str, Option<&str>)> {
        let (_, rest) = self.message.split_once("expected ")?;
        Some(rest.rsplit_once(", found ").map_or((rest, None), |(expected, found)| (expected, Some(found))))
    }

    /// Returns a problem with the text at `span` of `source`.
    #[must_use]
    pub fn at(source: &str, span: &Range<usize>, key: &str, message: String) -> Self {
        let before = source.get(..span.start).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Self {
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            key: key.to_owned(),
            message,
        }
    }

    /// Returns the problem for an error of the TOML reader, with the key that the error does not name.
    #[must_use]
    pub fn from_toml(source: &str, error: &toml::de::Error) -> Self {
        let span = error.span().unwrap_or(0..0);
        let key = match DeTable::parse(source) {
            Ok(table) => key_at(table.get_ref(), &span),
            Err(_) => word_at(source, span.start).to_owned(),
        };
        let message = error.message().lines().collect::<Vec<_>>().join(", ");
        Self::at(source, &span, &key, in_plain_words(message))
    }
}

/// The innermost key whose name or value contains `span`, with its tables.
fn key_at(table: &DeTable<'_>, span: &Range<usize>) -> String {
    let inside = |outer: Range<usize>| outer.start <= span.start && span.end <= outer.end;
    for (key, value) in table {
        let inner = match value.get_ref() {
            DeValue::Table(table) => key_at(table, span),
            _ => String::new(),
        };
        if !inner.is_empty() {
            return format!("{}.{inner}", key.get_ref());
        }
        if inside(key.span()) || inside(value.span()) {
            return key.get_ref().to_string();
        }
    }
    String::new()
}

/// The key of the line at `at`, if the line is `key = value`. For text that is not TOML.
fn word_at(source: &str, at: usize) -> &str {
    let start = source.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = source.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    line.split_once('=').map_or("", |(key, _)| key.trim())
}

/// Replaces serde's names of types with common ones.
fn in_plain_words(message: String) -> String {
    const WORDS: [(&str, &str); 5] = [
        ("expected i64", "expected a whole number"),
        ("expected f64", "expected a number"),
        ("expected a sequence", "expected a list"),
        ("expected a map", "expected a table"),
        ("sequence", "list"),
    ];
    let message = WORDS.iter().fold(message, |message, (serde, ours)| message.replace(serde, ours));
    match message.split_once("expected struct Raw") {
        Some((before, _)) => format!("{before}expected a table"),
        None => message,
    }
}
