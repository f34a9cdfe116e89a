//! JUnit XML, valid by Jenkins' schema (`jenkins-junit.xsd`): a suite for each session.
//!
//! What does not hold is a failure, evidence that does not hold an error; what is undecided or disturbed is skipped.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use super::{Better, FormError};
use crate::Subject;
use crate::checks::{Check, Outcome};
use crate::suite::Suite;

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    Ok(junit(&subjects.iter().map(Suite::of).collect::<Vec<_>>()))
}

/// Suites of tests as JUnit XML.
#[must_use]
pub fn junit(suites: &[Suite]) -> String {
    let count = |of: fn(&Outcome) -> bool| {
        suites.iter().flat_map(|suite| &suite.checks).filter(|check| of(&check.outcome)).count()
    };
    let time: f64 = suites.iter().map(|suite| suite.took_seconds).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"assay\" time=\"{time:.3}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        count(|_| true),
        count(is_failure),
        count(is_error)
    );
    for (id, of) in suites.iter().enumerate() {
        suite(&mut xml, id, of);
    }
    xml += "</testsuites>\n";
    xml
}

fn is_failure(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed(..))
}

fn is_error(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Error(..))
}

fn is_skipped(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Skipped(..))
}

fn suite(xml: &mut String, id: usize, suite: &Suite) {
    let checks: &[Check] = &suite.checks;
    let count = |of: fn(&Outcome) -> bool| checks.iter().filter(|check| of(&check.outcome)).count();
    let started = UNIX_EPOCH + Duration::from_secs(suite.started_seconds);
    // The schema's times have no zone.
    let started = humantime::format_rfc3339_seconds(started).to_string().replace('Z', "");
    let name = escaped(&suite.name);
    let time = suite.took_seconds;
    let _ = writeln!(
        xml,
        "<testsuite package=\"assay\" id=\"{id}\" name=\"{name}\" timestamp=\"{started}\" hostname=\"-\" tests=\"{}\" \
         failures=\"{}\" errors=\"{}\" skipped=\"{}\" time=\"{time:.3}\">",
        checks.len(),
        count(is_failure),
        count(is_error),
        count(is_skipped)
    );
    *xml += "<properties>\n";
    for (key, value) in &suite.properties {
        let _ = writeln!(xml, "<property name=\"{}\" value=\"{}\"/>", escaped(key), escaped(value));
    }
    *xml += "</properties>\n";
    for check in checks {
        let head = format!("<testcase name=\"{}\" classname=\"{name}\" time=\"0\">", escaped(&check.name));
        let body = match &check.outcome {
            Outcome::Passed => String::new(),
            Outcome::Failed(code, detail) => {
                format!("<failure type=\"{}\" message=\"{}\"/>", escaped(code), escaped(detail))
            }
            Outcome::Error(code, detail) => {
                format!("<error type=\"{}\" message=\"{}\"/>", escaped(code), escaped(detail))
            }
            Outcome::Skipped(code, detail) => {
                format!("<skipped>{}: {}</skipped>", escaped(code), escaped(detail))
            }
        };
        let _ = writeln!(xml, "{head}{body}</testcase>");
    }
    *xml += "<system-out></system-out><system-err></system-err>\n</testsuite>\n";
}

/// Text for XML 1.0: what the grammar has no place for (section 2.2) becomes `?`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped += "&amp;",
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '"' => escaped += "&quot;",
            '\t' | '\n' | '\r' => escaped.push(' '),
            '\u{0}'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    #[test]
    fn text_from_logs_cannot_break_the_file() {
        assert_eq!(super::escaped("a<b>&\"\u{1b}[0m\n"), "a&lt;b&gt;&amp;&quot;?[0m ");
    }
}
