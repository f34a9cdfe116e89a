//! The lock file: the counts that were agreed on, and under what they hold.

use std::fmt::Write as _;

use serde::Deserialize;

use crate::printed::Span;
use crate::row::Row;

/// The format's version.
const SCHEMA: u32 = 1;

/// A lock file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    /// What is locked, in the file's order.
    pub subjects: Vec<Subject>,
}

/// A kernel with its input, under one QEMU, and its rows.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Subject {
    /// Its name.
    pub name: String,
    /// QEMU's version.
    pub qemu: String,
    /// The CPU model.
    pub cpu_model: String,
    /// The machine's memory, in MiB.
    pub memory_mib: u32,
    /// The kernel's command line.
    #[serde(default)]
    pub append: String,
    /// The rows.
    pub rows: Vec<LockedRow>,
}

/// A row that is locked.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LockedRow {
    /// Its name.
    pub name: String,
    /// The least sample, in instructions (TCG).
    pub instructions: u64,
    /// How far the least sample may be from that, per million. 0: not at all, and the row must be steady.
    #[serde(default)]
    pub tolerance_ppm: u64,
    /// A goal: the least sample may never be above it, whatever is recorded.
    #[serde(default)]
    pub at_most: Option<u64>,
    /// Where it begins and ends, as `FROM..TO`, for a kernel that is not ours.
    #[serde(default)]
    pub span: Option<String>,
}

/// Why a lock file cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// It is not a file of this form.
    #[error("{0}")]
    Form(String),
    /// It is of another version.
    #[error("schema = {0}, and this `assay` reads {SCHEMA}")]
    Schema(u32),
    /// A row's span is wrong.
    #[error("row {row:?}: span = {span:?}: expected FROM..TO")]
    Span {
        /// The row.
        row: String,
        /// What stands there.
        span: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: u32,
    #[serde(default)]
    subject: Vec<Subject>,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str) -> Result<Self, LockError> {
        let File { schema, subject } =
            toml::from_str(text).map_err(|error| LockError::Form(error.to_string()))?;
        if schema != SCHEMA {
            return Err(LockError::Schema(schema));
        }
        for row in subject.iter().flat_map(|subject| &subject.rows) {
            row.span()?;
        }
        Ok(Self { subjects: subject })
    }

    /// The subject of that name.
    #[must_use]
    pub fn subject(&self, name: &str) -> Option<&Subject> {
        self.subjects.iter().find(|subject| subject.name == name)
    }

    /// Puts `subject` in the place of the one of that name, or at the end. Goals of rows that stay are kept.
    pub fn put(&mut self, mut subject: Subject) {
        let Some(old) = self.subjects.iter_mut().find(|old| old.name == subject.name) else {
            return self.subjects.push(subject);
        };
        for row in &mut subject.rows {
            let before = old.rows.iter().find(|before| before.name == row.name);
            row.at_most = before.and_then(|before| before.at_most).or(row.at_most);
        }
        *old = subject;
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!(
            "# Instruction counts that are compared exactly: docs/EXACT.md. `assay exact record` writes this file.\n\n\
             schema = {SCHEMA}\n"
        );
        for Subject { name, qemu, cpu_model, memory_mib, append, rows } in &self.subjects {
            let _ = write!(
                text,
                "\n[[subject]]\nname = {}\nqemu = {}\ncpu-model = {}\nmemory-mib = {memory_mib}\n",
                quoted(name),
                quoted(qemu),
                quoted(cpu_model)
            );
            if !append.is_empty() {
                let _ = writeln!(text, "append = {}", quoted(append));
            }
            text += "rows = [\n";
            for row in rows {
                let _ = writeln!(text, "    {}", row.line());
            }
            text += "]\n";
        }
        text
    }
}

impl LockedRow {
    /// The row as it was counted now. One that is not steady gets the tolerance.
    #[must_use]
    pub fn of(row: &Row, tolerance_ppm: u64, span: Option<&Span>) -> Self {
        Self {
            name: row.name.clone(),
            instructions: row.least(),
            tolerance_ppm: if row.is_steady() { 0 } else { tolerance_ppm },
            at_most: None,
            span: span.map(Span::to_string),
        }
    }

    /// Its span, if it has one.
    ///
    /// # Errors
    /// It is wrong.
    pub fn span(&self) -> Result<Option<Span>, LockError> {
        let wrong = |span: &String| LockError::Span { row: self.name.clone(), span: span.clone() };
        self.span.as_ref().map(|span| span.parse().map_err(|_| wrong(span))).transpose()
    }

    /// Its line in the file.
    #[must_use]
    pub fn line(&self) -> String {
        let Self { name, instructions, tolerance_ppm, at_most, span } = self;
        let mut line = format!("{{ name = {}, instructions = {instructions}", quoted(name));
        if *tolerance_ppm > 0 {
            let _ = write!(line, ", tolerance-ppm = {tolerance_ppm}");
        }
        if let Some(at_most) = at_most {
            let _ = write!(line, ", at-most = {at_most}");
        }
        if let Some(span) = span {
            let _ = write!(line, ", span = {}", quoted(span));
        }
        line + " },"
    }
}

/// A basic string of TOML (TOML 1.0.0, "String").
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => quoted.extend(['\\', character]),
            control if control.is_control() => {
                let _ = write!(quoted, "\\u{:04x}", u32::from(control));
            }
            plain => quoted.push(plain),
        }
    }
    quoted + "\""
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, instructions: u64) -> LockedRow {
        LockedRow { name: name.to_owned(), instructions, tolerance_ppm: 0, at_most: None, span: None }
    }

    fn subject(name: &str, rows: Vec<LockedRow>) -> Subject {
        Subject {
            name: name.to_owned(),
            qemu: "7.2.22".to_owned(),
            cpu_model: "qemu64,-erms".to_owned(),
            memory_mib: 128,
            append: "quiet x=\"y\" \\ \t".to_owned(),
            rows,
        }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let loose = LockedRow { tolerance_ppm: 500, at_most: Some(9), ..row("b \"c\"", 7) };
        let spanned = LockedRow { span: Some("Linux..\"init\"".to_owned()), ..row("d", 8) };
        let lock =
            Lock { subjects: vec![subject("ours", vec![row("a", 1), loose]), subject("x", vec![spanned])] };
        assert_eq!(Lock::parse(&lock.text()), Ok(lock));
    }

    #[test]
    fn a_subject_is_replaced_in_its_place_and_keeps_its_goals() {
        let goal = LockedRow { at_most: Some(100), ..row("boot", 90) };
        let mut lock = Lock { subjects: vec![subject("ours", vec![goal]), subject("x", Vec::new())] };
        lock.put(subject("ours", vec![row("boot", 80), row("new", 5)]));
        lock.put(subject("last", Vec::new()));
        let names: Vec<_> = lock.subjects.iter().map(|subject| subject.name.as_str()).collect();
        assert_eq!(names, ["ours", "x", "last"]);
        let boot = &lock.subject("ours").unwrap().rows[0];
        assert_eq!((boot.instructions, boot.at_most), (80, Some(100)));
    }

    #[test]
    fn names_what_is_wrong() {
        assert_eq!(Lock::parse("schema = 2"), Err(LockError::Schema(2)));
        assert!(matches!(Lock::parse("schema = 1\nsubjects = []"), Err(LockError::Form(_))));
        let bad = Lock {
            subjects: vec![subject("x", vec![LockedRow { span: Some("a".to_owned()), ..row("r", 1) }])],
        };
        assert!(matches!(Lock::parse(&bad.text()), Err(LockError::Span { .. })));
    }
}
