//! KTAP 1 (Documentation/dev-tools/ktap.rst), flat: readers of TAP know no nested form.

use std::fmt::Write as _;

use super::{Better, FormError};
use crate::Subject;
use crate::checks::Outcome;
use crate::suite::Suite;

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    Ok(ktap(&subjects.iter().map(Suite::of).collect::<Vec<_>>()))
}

/// Suites of tests as KTAP.
#[must_use]
pub fn ktap(suites: &[Suite]) -> String {
    let mut lines = Vec::new();
    for suite in suites {
        let prefix = if suites.len() > 1 { format!("{}.", word(&suite.session)) } else { String::new() };
        for check in &suite.checks {
            let number = lines.len() + 1;
            let name = format!("{prefix}{}", word(&check.name));
            lines.push(match &check.outcome {
                Outcome::Passed => format!("ok {number} {name}"),
                // KTAP has no word for an error: what cannot be decided for bad evidence has not passed.
                Outcome::Failed(code, _) | Outcome::Error(code, _) => {
                    format!("not ok {number} {name} # {}", word(code))
                }
                Outcome::Skipped(code, _) => format!("ok {number} {name} # SKIP {}", word(code)),
            });
        }
    }
    let mut text = format!("KTAP version 1\n1..{}\n", lines.len());
    for line in lines {
        let _ = writeln!(text, "{line}");
    }
    text
}

/// A word without `#`, which begins a directive.
fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    text.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect()
}
