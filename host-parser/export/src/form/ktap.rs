//! KTAP 1 (Documentation/dev-tools/ktap.rst), flat: readers of TAP know no nested form.

use std::fmt::Write as _;

use super::{Better, FormError};
use crate::Subject;
use crate::checks::{Outcome, checks};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let mut lines = Vec::new();
    for subject in subjects {
        let prefix = if subjects.len() > 1 { format!("{}.", word(subject.session())) } else { String::new() };
        for check in checks(subject.results) {
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
    Ok(text)
}

/// A word without `#`, which begins a directive.
fn word(text: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    text.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect()
}
