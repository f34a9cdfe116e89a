//! labels.csv: what is known of each log from elsewhere, such as the zone and the type of the machine.
//!
//! The form is that of RFC 4180, in UTF-8. The column `file` names the log; every other column becomes one of the table of
//! logs, with `label_` before its name: nothing proves it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::dataset::is_day;

/// The column that names the log.
const FILE: &str = "file";

/// The column that decides the folder of the log's day.
const DAY: &str = "day";

/// Of how many problems a message has the places.
const LISTED: usize = 20;

/// The labels of all logs.
#[derive(Clone, Debug, Default)]
pub struct Labels {
    /// The columns but `file`, in the order of the file.
    columns: Vec<String>,
    /// By the log's name: its fields, in the order of the columns.
    of: BTreeMap<String, Vec<String>>,
}

/// Something wrong at one place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LabelProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column, in characters, from 1.
    pub column: usize,
    /// The column of the table, if it is about one.
    pub key: String,
    /// What would be right.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for LabelProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, expected, found, .. } = self;
        write!(f, "line {line}, column {column}: expected {expected}, found {found}")
    }
}

/// Labels that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LabelError {
    /// The file cannot be read.
    #[error("{}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// It is not what it must be.
    #[error("{}: {}", path.display(), listed(problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Each place.
        problems: Vec<LabelProblem>,
    },
}

fn listed(problems: &[LabelProblem]) -> String {
    let lines: Vec<String> = problems.iter().map(ToString::to_string).collect();
    lines.join("; ")
}

impl Labels {
    /// Reads labels.csv.
    ///
    /// # Errors
    /// It cannot be read, or is not what it must be: then every place is named.
    pub fn load(path: &Path) -> Result<Self, LabelError> {
        let bytes = fs::read(path).map_err(|source| LabelError::Read { path: path.to_owned(), source })?;
        Self::parse(&bytes).map_err(|problems| LabelError::Invalid { path: path.to_owned(), problems })
    }

    /// The same of its bytes.
    ///
    /// # Errors
    /// Every place that is wrong, at most 20.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<LabelProblem>> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
            vec![LabelProblem::at((line, 1), "", "text in UTF-8", "other bytes")]
        })?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let records = records(text).map_err(|problem| vec![problem])?;
        let mut reader = Reader::default();
        reader.read(&records);
        reader.problems.truncate(LISTED);
        if reader.problems.is_empty() { Ok(reader.labels) } else { Err(reader.problems) }
    }

    /// The columns but `file`.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The fields of a log, in the order of the columns. A row whose `file` has several parts is of the log whose path ends in
    /// them; the longest one counts.
    #[must_use]
    pub fn of(&self, log: &Path) -> Option<&[String]> {
        self.row_of(log).map(|(_, fields)| fields.as_slice())
    }

    fn row_of(&self, log: &Path) -> Option<(&String, &Vec<String>)> {
        let parts: Vec<String> =
            log.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
        (0..parts.len()).find_map(|from| self.of.get_key_value(&parts[from..].join("/")))
    }

    /// The day that the labels of a log name.
    #[must_use]
    pub fn day(&self, log: &Path) -> Option<&str> {
        let at = self.columns.iter().position(|column| column == DAY)?;
        self.of(log)?.get(at).map(String::as_str).filter(|day| !day.is_empty())
    }

    /// The rows that are of none of these logs.
    #[must_use]
    pub fn without_log<'l>(&'l self, logs: &[PathBuf]) -> Vec<&'l str> {
        let found: BTreeSet<&String> =
            logs.iter().filter_map(|log| self.row_of(log)).map(|(name, _)| name).collect();
        self.of.keys().filter(|name| !found.contains(name)).map(String::as_str).collect()
    }
}

impl LabelProblem {
    fn at((line, column): (usize, usize), key: &str, expected: &str, found: &str) -> Self {
        let (key, expected) = (key.to_owned(), expected.to_owned());
        Self { line, column, key, expected, found: found.to_owned() }
    }
}

/// A field and its place.
#[derive(Debug, PartialEq)]
struct Field {
    text: String,
    place: (usize, usize),
}

#[derive(Default)]
struct Reader {
    labels: Labels,
    /// The place of `file` among the columns.
    file: usize,
    problems: Vec<LabelProblem>,
}

impl Reader {
    fn read(&mut self, records: &[Vec<Field>]) {
        let Some((header, rows)) = records.split_first() else {
            self.problems.push(LabelProblem::at((1, 1), FILE, "a header with the column `file`", "nothing"));
            return;
        };
        self.header(header);
        if self.problems.is_empty() {
            rows.iter().for_each(|row| self.row(header, row));
        }
    }

    fn header(&mut self, header: &[Field]) {
        for (at, Field { text, place }) in header.iter().enumerate() {
            let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
            let named = text.bytes().all(lower) && text.starts_with(|first: char| first.is_ascii_lowercase());
            if !named {
                let expected = "a name of lower-case letters, digits and _ that begins with a letter";
                self.problems.push(LabelProblem::at(*place, text, expected, &quoted(text)));
            } else if header[..at].iter().any(|before| before.text == *text) {
                self.problems.push(LabelProblem::at(*place, text, "each column once", &quoted(text)));
            }
        }
        match header.iter().position(|field| field.text == FILE) {
            Some(at) => self.file = at,
            None => {
                let names: Vec<&str> = header.iter().map(|field| field.text.as_str()).collect();
                let place = header.first().map_or((1, 1), |first| first.place);
                self.problems.push(LabelProblem::at(
                    place,
                    FILE,
                    "a column `file`",
                    &quoted(&names.join(",")),
                ));
            }
        }
        let others = header.iter().map(|field| field.text.clone()).filter(|name| name != FILE);
        self.labels.columns = others.collect();
    }

    fn row(&mut self, header: &[Field], row: &[Field]) {
        if row.len() != header.len() {
            let place = row.last().map_or((1, 1), |last| last.place);
            let (expected, found) =
                (format!("{} fields, as the header has", header.len()), row.len().to_string());
            self.problems.push(LabelProblem::at(place, "", &expected, &found));
            return;
        }
        let name = &row[self.file];
        let file = name.text.trim_start_matches("./");
        if file.is_empty() {
            self.problems.push(LabelProblem::at(name.place, FILE, "the name of a log", "nothing"));
            return;
        }
        if let Some(day) = header.iter().position(|of| of.text == DAY).map(|at| &row[at])
            && !(day.text.is_empty() || is_day(&day.text))
        {
            let expected = "a day as 2026-11-29, or nothing";
            self.problems.push(LabelProblem::at(day.place, DAY, expected, &quoted(&day.text)));
        }
        let others = row.iter().enumerate().filter(|&(at, _)| at != self.file);
        let fields = others.map(|(_, field)| field.text.clone()).collect();
        if self.labels.of.insert(file.to_owned(), fields).is_some() {
            self.problems.push(LabelProblem::at(name.place, FILE, "each log once", &quoted(file)));
        }
    }
}

fn quoted(text: &str) -> String {
    format!("`{text}`")
}

/// The records of a CSV file. Empty lines are none.
fn records(text: &str) -> Result<Vec<Vec<Field>>, LabelProblem> {
    let mut characters = Places { rest: text.chars(), place: (1, 1) };
    let (mut records, mut record) = (Vec::new(), Vec::new());
    while characters.ahead().is_some() {
        let field = characters.field()?;
        let blank = record.is_empty() && field.text.is_empty();
        record.push(field);
        match characters.next() {
            Some(',') => continue,
            // An empty line.
            _ if blank => record.clear(),
            _ => records.push(std::mem::take(&mut record)),
        }
    }
    // After a comma at the very end an empty field follows.
    if !record.is_empty() {
        record.push(Field { text: String::new(), place: characters.place });
        records.push(record);
    }
    Ok(records)
}

/// Characters, of which the place is known. A carriage return before a line feed is none.
struct Places<'t> {
    rest: std::str::Chars<'t>,
    place: (usize, usize),
}

impl Places<'_> {
    fn next(&mut self) -> Option<char> {
        let mut next = self.rest.next()?;
        if next == '\r' && self.rest.as_str().starts_with('\n') {
            next = self.rest.next()?;
        }
        self.place = if next == '\n' { (self.place.0 + 1, 1) } else { (self.place.0, self.place.1 + 1) };
        Some(next)
    }

    /// A field, up to the comma or the end of the line after it.
    fn field(&mut self) -> Result<Field, LabelProblem> {
        let place = self.place;
        if self.ahead() != Some('"') {
            let mut text = String::new();
            while !matches!(self.ahead(), None | Some(',' | '\n')) {
                text.extend(self.next());
            }
            return Ok(Field { text, place });
        }
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                Some('"') if self.ahead() == Some('"') => {
                    self.next();
                    text.push('"');
                }
                Some('"') => break,
                Some(other) => text.push(other),
                None => {
                    return Err(LabelProblem::at(
                        place,
                        "",
                        "a closing quotation mark",
                        "the end of the file",
                    ));
                }
            }
        }
        match self.ahead() {
            None | Some(',' | '\n') => Ok(Field { text, place }),
            Some(other) => {
                let expected = "a comma or the end of the line after a quoted field";
                Err(LabelProblem::at(self.place, "", expected, &quoted(&other.to_string())))
            }
        }
    }

    /// The next character; of an end of a line, the line feed.
    fn ahead(&self) -> Option<char> {
        let mut ahead = self.rest.clone();
        match ahead.next() {
            Some('\r') if ahead.next() == Some('\n') => Some('\n'),
            _ => self.rest.clone().next(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        let problems = Labels::parse(text.as_bytes()).expect_err("a problem");
        problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    }

    #[test]
    fn joins_on_the_name_of_the_log_or_the_end_of_its_path() {
        let labels =
            Labels::parse(b"zone,file,note\r\na,one.log,\"x, \"\"y\"\"\r\nz\"\r\n\r\nb,c/one.log,\n")
                .expect("labels");
        assert_eq!(labels.columns(), ["zone", "note"]);
        let of = |log| labels.of(Path::new(log)).map(<[String]>::to_vec);
        assert_eq!(of("bucket/one.log"), Some(vec!["a".into(), "x, \"y\"\nz".into()]));
        assert_eq!(of("/bucket/c/one.log"), Some(vec!["b".into(), String::new()]));
        assert_eq!(of("bucket/d/two.log"), None);
        assert_eq!(labels.without_log(&["x/one.log".into()]), ["c/one.log"]);
    }

    #[test]
    fn a_day_decides_where_the_log_goes() {
        let labels = Labels::parse(b"file,day\na,2026-11-29\nb,\n").expect("labels");
        assert_eq!((labels.day(Path::new("a")), labels.day(Path::new("b"))), (Some("2026-11-29"), None));
    }

    #[test]
    fn names_line_column_and_what_is_expected() {
        for (text, expected) in [
            ("", "line 1, column 1: expected a header with the column `file`, found nothing"),
            ("zone\na\n", "line 1, column 1: expected a column `file`, found `zone`"),
            ("file,Zone\n", "line 1, column 6: expected a name of lower-case"),
            ("file,a,a\n", "line 1, column 8: expected each column once, found `a`"),
            ("file,zone\na,b\nc\n", "line 3, column 1: expected 2 fields, as the header has, found 1"),
            ("file,zone\na,b,c\n", "line 2, column 5: expected 2 fields, as the header has, found 3"),
            ("file,zone\na,b\na,c\n", "line 3, column 1: expected each log once, found `a`"),
            ("zone,file\nb,\n", "line 2, column 3: expected the name of a log, found nothing"),
            (
                "file,day\na,2026-13-01\n",
                "line 2, column 3: expected a day as 2026-11-29, or nothing, found `2026-13-01`",
            ),
            ("file,zone\na,\"b\n", "line 2, column 3: expected a closing quotation mark, found the end"),
            ("file,zone\na,\"b\"c\n", "line 2, column 6: expected a comma or the end of the line"),
        ] {
            let found = problem(text);
            assert!(found.starts_with(expected), "{text:?}: {found}");
        }
        let two = problem("file,day\na,x\nb,y\n");
        assert!(two.contains("line 2,") && two.contains("line 3,"), "{two}");
        let binary = Labels::parse(b"file\na\n\xff\n").expect_err("a problem");
        assert_eq!((binary[0].line, binary[0].expected.as_str()), (3, "text in UTF-8"));
    }
}
