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
use std::time::Duration;

use results::{CaseRate, Price, patience_in_words};
use serde::Serialize;

use super::lines::wrapped;
use super::number::grouped;
use super::rates;

/// How a page looks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Style<'p> {
    /// Whether the verdict has its colour. The word is always there too.
    pub colours: bool,
    /// What the machine costs, for the work of a unit of money.
    pub price: Option<&'p Price>,
}

/// The page of a session, of at most 80 columns. What to do next ([`Headline::next`]) is not in it: that line is the last
/// of all that a command prints.
#[must_use]
pub fn page(stored: &Stored, style: Style<'_>) -> String {
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
    let rates = rate_lines(stored, style.price);
    if !rates.is_empty() {
        lines.push(String::new());
        lines.extend(rates);
    }
    lines.push(String::new());
    lines.extend(wrapped(&about(stored), ""));
    for line in refusals(stored) {
        lines.extend(wrapped(&line, ""));
    }
    lines.join("\n") + "\n"
}

/// The rates of a session's cases, for a program.
#[derive(Clone, Debug, Serialize)]
pub struct Rates {
    /// What the work counts, as a plural; `None` if that is not known.
    pub unit: Option<String>,
    /// The price of the machine, if one was stated.
    pub price: Option<Price>,
    /// Each case that has a time in nanoseconds.
    pub cases: Vec<Priced>,
}

/// A rate, and what it gives for money.
#[derive(Clone, Debug, Serialize)]
pub struct Priced {
    /// The rate.
    #[serde(flatten)]
    pub rate: CaseRate,
    /// The work for one unit of money; `None` without a price.
    pub for_one: Option<f64>,
}

/// The rates of a stored session.
#[must_use]
pub fn rates_of(stored: &Stored, price: Option<&Price>) -> Rates {
    let rates = rate::of_cases(stored);
    let unit = rates.as_ref().map(|of| of.unit.clone()).filter(|unit| !unit.is_empty());
    let priced = |rate: CaseRate| Priced { rate, for_one: price.map(|of| of.work_for_one(rate.per_second)) };
    let cases = rates.map_or_else(Vec::new, |of| of.rates).into_iter().map(priced).collect();
    Rates { unit, price: price.cloned(), cases }
}

/// The rates of a session's cases, for a person.
fn rate_lines(stored: &Stored, price: Option<&Price>) -> Vec<String> {
    rate::of_cases(stored).map_or_else(Vec::new, |of| {
        rates::lines(&of.rates, Some(of.unit.as_str()).filter(|unit| !unit.is_empty()), price)
    })
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
    parts.extend(patience(stored));
    parts.push(tool.to_string());
    parts.join("; ")
}

/// The time that bounded the session, in place of a limit.
fn patience(stored: &Stored) -> Option<String> {
    let patience = patience_in_words(stored.experiment.patience()?);
    let over = stored.patience_over_after_ms.map(|ms| patience_in_words(Duration::from_millis(ms)));
    Some(match over {
        Some(after) => format!("patience {patience}, over after {after}"),
        None => format!("patience {patience}, not used up"),
    })
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
