//! JUnit XML, valid by Jenkins' schema (`jenkins-junit.xsd`): a suite for each session.
//!
//! What does not hold is a failure, evidence that does not hold an error; what is undecided or disturbed is skipped.

use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use super::{Better, FormError};
use crate::Subject;
use crate::checks::{Check, Outcome, checks};
use crate::figures::figures;

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let all: Vec<(&Subject<'_>, Vec<Check>)> =
        subjects.iter().map(|subject| (subject, checks(subject.results))).collect();
    let count = |of: fn(&Outcome) -> bool| {
        all.iter().flat_map(|(_, checks)| checks).filter(|check| of(&check.outcome)).count()
    };
    let time: f64 = subjects.iter().map(Subject::took_seconds).sum();
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        xml,
        "<testsuites name=\"assay\" time=\"{time:.3}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        count(|_| true),
        count(is_failure),
        count(is_error)
    );
    for (id, (subject, checks)) in all.iter().enumerate() {
        suite(&mut xml, id, subject, checks);
    }
    xml += "</testsuites>\n";
    Ok(xml)
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

fn suite(xml: &mut String, id: usize, subject: &Subject<'_>, checks: &[Check]) {
    let count = |of: fn(&Outcome) -> bool| checks.iter().filter(|check| of(&check.outcome)).count();
    let started = UNIX_EPOCH + Duration::from_secs(subject.started_seconds().unwrap_or(0));
    // The schema's times have no zone.
    let started = humantime::format_rfc3339_seconds(started).to_string().replace('Z', "");
    let name = escaped(&subject.results.experiment.name);
    let time = subject.took_seconds();
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
    let _ = writeln!(xml, "<property name=\"session\" value=\"{}\"/>", escaped(subject.session()));
    for figure in figures(subject.results) {
        if let Some(speedup) = figure.scales() {
            let key = format!("{}.{}.{}.median", figure.ratio_name(), figure.system, figure.stats.case);
            let _ = writeln!(xml, "<property name=\"{key}\" value=\"{:.6}\"/>", speedup.median);
        }
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
