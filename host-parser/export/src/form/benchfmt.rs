//! Go's benchmark format (`x/perf/benchfmt`): a line for each sample, never a summary.
//!
//! benchstat makes separate tables where keys differ, so `machine` alone keeps machines apart; a key with a session's name or
//! time would keep everything apart. A last `-2` would be read as GOMAXPROCS, hence `/workers=2`.

use std::fmt::Write as _;

use super::{Better, FormError};
use crate::figures::{figures, times};
use crate::{Subject, machine_id};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let mut lines = String::new();
    for subject in subjects {
        let mut last = None;
        for figure in figures(subject.results) {
            if last.replace(figure.system) != Some(figure.system) {
                let machine = machine_id(subject.results);
                let _ = writeln!(
                    lines,
                    "machine: {machine}\nsystem: {}\nUnit cycles better=lower",
                    figure.system
                );
            }
            let name =
                format!("Benchmark{}/workers={}", camel(&subject.results.experiment.name), figure.stats.case);
            for time in times(subject.results, &figure) {
                let nanos = time.nanos.map(|nanos| format!("{nanos} ns/op ")).unwrap_or_default();
                let _ = writeln!(lines, "{name} 1 {nanos}{} cycles", time.cycles);
            }
        }
    }
    if lines.is_empty() { Err(FormError::Nothing) } else { Ok(lines) }
}

/// `smp-process-scale` as `SmpProcessScale`: a name begins with an upper-case letter.
fn camel(name: &str) -> String {
    let parts = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|part| !part.is_empty());
    let capital = |part: &str| part[..1].to_ascii_uppercase() + &part[1..];
    parts.map(capital).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_are_in_camel_case() {
        for (name, camel) in [("smp-process-scale", "SmpProcessScale"), ("a--b_c", "ABC"), ("x2", "X2")] {
            assert_eq!(super::camel(name), camel);
        }
    }
}
