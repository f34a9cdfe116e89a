//! Where stored results differ from derived ones.

use std::fs;
use std::io;
use std::path::Path;

use results::Results;
use results::seal::Problem;
use serde::Deserialize;
use serde_json::Value;

use super::export::EXPORTERS;
use super::exporter::Exporter;
use super::json::ResultsJson;
use super::markdown::SummaryMarkdown;

/// At most this many differences of a file are listed. The others are counted.
const LISTED: usize = 20;

/// The longest value that is shown whole, in characters.
const SHOWN: usize = 120;

/// Every place in which a file of results in `folder` is not what `derived` would be written as; by path in results.json,
/// and by line in the others.
#[must_use]
pub fn differences(folder: &Path, derived: &Results) -> Vec<Problem> {
    // A tool of that time wrote the files with numbers in its form. The summary always was for people.
    let older = form_of(folder).filter(|&form| form < derived.schema);
    let older = older.map(|form| derived.clone().in_form(form));
    let as_written = |exporter: &dyn Exporter| {
        let is_summary = exporter.file_name() == SummaryMarkdown.file_name();
        older.as_ref().filter(|_| !is_summary).unwrap_or(derived)
    };
    EXPORTERS.iter().flat_map(|&exporter| of_file(folder, exporter, as_written(exporter))).collect()
}

/// The form of the results in `folder`; `None` if they do not name one.
fn form_of(folder: &Path) -> Option<u32> {
    #[derive(Deserialize)]
    struct Form {
        schema: u32,
    }
    let stored = fs::read(folder.join(ResultsJson.file_name())).ok()?;
    serde_json::from_slice::<Form>(&stored).ok().map(|form| form.schema)
}

fn of_file(folder: &Path, exporter: &dyn Exporter, derived: &Results) -> Vec<Problem> {
    let path = folder.join(exporter.file_name());
    let problem =
        |place: &str, detail: String| Problem { place: format!("{}{place}", path.display()), detail };
    let stored = match fs::read(&path) {
        Ok(stored) => stored,
        Err(error) => return vec![problem("", format!("cannot be read: {error}"))],
    };
    let derived = match export(exporter, derived) {
        Ok(derived) if derived == stored => return Vec::new(),
        Ok(derived) => derived,
        Err(error) => return vec![problem("", format!("cannot be derived: {error}"))],
    };
    let mut found = Vec::new();
    if exporter.file_name() == ResultsJson.file_name() {
        match (serde_json::from_slice(&stored), serde_json::from_slice(&derived)) {
            (Ok(stored), Ok(derived)) => in_value("", &stored, &derived, &mut found),
            (Err(error), _) | (_, Err(error)) => found.push((String::new(), format!("no JSON: {error}"))),
        }
    } else {
        in_lines(&stored, &derived, &mut found);
    }
    if found.is_empty() {
        found.push((String::new(), "has the same content in other bytes".to_owned()));
    }
    let more = found.len().saturating_sub(LISTED);
    found.truncate(LISTED);
    if more > 0 {
        found.push((String::new(), format!("and {more} more differences")));
    }
    found.into_iter().map(|(place, detail)| problem(&place, detail)).collect()
}

fn export(exporter: &dyn Exporter, results: &Results) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    exporter.export(results, &mut bytes)?;
    Ok(bytes)
}

/// The differences of two JSON values at `path`, a JSON pointer (RFC 6901).
fn in_value(path: &str, stored: &Value, derived: &Value, found: &mut Vec<(String, String)>) {
    let detail = match (stored, derived) {
        (Value::Object(of_stored), Value::Object(of_derived)) => {
            let keys = of_stored.keys().chain(of_derived.keys().filter(|key| !of_stored.contains_key(*key)));
            for key in keys {
                let path = format!("{path}/{key}");
                match (of_stored.get(key), of_derived.get(key)) {
                    (Some(stored), Some(derived)) => in_value(&path, stored, derived, found),
                    (Some(stored), None) => {
                        found.push((at(&path), format!("stored {}, derived nothing", short(stored))));
                    }
                    (None, Some(derived)) => {
                        found.push((at(&path), format!("stored nothing, derived {}", short(derived))));
                    }
                    (None, None) => {}
                }
            }
            return;
        }
        (Value::Array(of_stored), Value::Array(of_derived)) if of_stored.len() == of_derived.len() => {
            for (place, (stored, derived)) in of_stored.iter().zip(of_derived).enumerate() {
                in_value(&format!("{path}/{place}"), stored, derived, found);
            }
            return;
        }
        (Value::Array(stored), Value::Array(derived)) => {
            format!("stored {} elements, derived {}", stored.len(), derived.len())
        }
        (stored, derived) if stored == derived => return,
        (stored, derived) => format!("stored {}, derived {}", short(stored), short(derived)),
    };
    found.push((at(path), detail));
}

fn at(path: &str) -> String {
    format!(": {path}")
}

fn short(value: &Value) -> String {
    shown(&value.to_string())
}

fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).collect();
    if short.len() < text.len() {
        short += "...";
    }
    short
}

/// The lines that differ.
fn in_lines(stored: &[u8], derived: &[u8], found: &mut Vec<(String, String)>) {
    let (stored, derived) = (String::from_utf8_lossy(stored), String::from_utf8_lossy(derived));
    let (of_stored, of_derived): (Vec<&str>, Vec<&str>) =
        (stored.lines().collect(), derived.lines().collect());
    if of_stored.len() != of_derived.len() {
        let detail = format!("stored {} lines, derived {}", of_stored.len(), of_derived.len());
        found.push((String::new(), detail));
    }
    for (line, (stored, derived)) in of_stored.iter().zip(&of_derived).enumerate() {
        if stored != derived {
            let detail = format!("stored `{}`, derived `{}`", shown(stored), shown(derived));
            found.push((format!(": line {}", line + 1), detail));
        }
    }
}
