//! The page of a session: what a person wants to see first, on one screen of 80 columns.
//!
//! The verdict comes first, then the table, then what to know about it. It is made from results.json alone, so that the
//! page at the end of `assay run` and that of `assay show` years later are the same.

mod cases;
mod headline;
mod rate;
mod stored;

pub use headline::{Headline, Tone};
pub use stored::{Stored, StoredError};

use std::collections::BTreeMap;

use super::lines::wrapped;
use super::number::grouped;

/// How a page looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style {
    /// Whether the verdict has its colour. The word is always there too.
    pub colours: bool,
}

/// The page of a session, of at most 80 columns. What to do next ([`Headline::next`]) is not in it: that line is the last
/// of all that a command prints.
#[must_use]
pub fn page(stored: &Stored, style: Style) -> String {
    let headline = Headline::of(stored);
    let mut lines = wrapped(&format!("{}: {}", headline.word, headline.about), "");
    if style.colours {
        // After the line was broken: the escape sequences take no columns.
        lines[0] = lines[0].replacen(headline.word, &headline.coloured(), 1);
    }
    for line in &headline.lines {
        lines.extend(wrapped(line, "  "));
    }
    lines.push(String::new());
    lines.extend(cases::lines(stored));
    lines.push(String::new());
    lines.extend(wrapped(&about(stored), ""));
    for line in refusals(stored) {
        lines.extend(wrapped(&line, ""));
    }
    lines.join("\n") + "\n"
}

/// The last line of an answer, of at most 80 columns: what to do next.
#[must_use]
pub fn next_line(next: &str) -> String {
    wrapped(&format!("next: {next}"), "").join("\n") + "\n"
}

/// What was measured where, in a line.
fn about(stored: &Stored) -> String {
    let Stored { experiment, environment, tool, .. } = stored;
    let mut parts = vec![match &experiment.label {
        Some(label) => format!("{}, session {label}", experiment.name),
        None => experiment.name.clone(),
    }];
    parts.extend(rate::workload(stored));
    parts.extend(stored.started_text());
    parts.push(counted(stored));
    parts.extend(environment.accelerator.as_ref().map(|of| {
        if of.emulated {
            format!("{}, EMULATED CPUS: times say nothing about hardware", of.name)
        } else {
            of.name.clone()
        }
    }));
    parts.push(tool.to_string());
    parts.join("; ")
}

/// How many runs were made, and how many of them count.
fn counted(stored: &Stored) -> String {
    let made = stored.runs.len();
    let count = stored.runs.iter().filter(|run| run.counts()).count();
    let runs = if made == 1 { "run" } else { "runs" };
    if count == made { format!("{made} {runs}") } else { format!("{made} {runs}, of which {count} count") }
}

/// What did not pass or was not done, by reason.
fn refusals(stored: &Stored) -> Vec<String> {
    let mut by_reason = BTreeMap::<&str, usize>::new();
    for reason in stored.runs.iter().filter_map(stored::Run::why_not) {
        *by_reason.entry(reason).or_default() += 1;
    }
    let mut lines = Vec::new();
    if !by_reason.is_empty() {
        let each: Vec<String> = by_reason
            .iter()
            .map(|(reason, count)| format!("{} {reason}", grouped(*count as f64, 0)))
            .collect();
        lines.push(format!("runs that do not count: {}", each.join(", ")));
    }
    if !stored.rounds_set_aside.is_empty() {
        lines.push(format!("rounds excluded and replaced: {}", stored.rounds_set_aside.len()));
    }
    lines.extend(stored.not_run.iter().map(|of| format!("NOT RUN: case {}: {}", of.case, of.why)));
    if !stored.not_known.is_empty() {
        let open = stored.not_known.len();
        lines.push(format!("NOT KNOWN: {open} things that this log leaves open (`--wide` lists them)"));
    }
    lines
}
