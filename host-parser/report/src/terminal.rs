//! The results on a terminal.

use super::lines::wrapped;
use super::table::Table;
use super::verdict::{Verdict, rule, verdict};
use super::{cases, platform, side_by_side, words};
use results::{Results, Shown};

/// How many refused runs are listed one by one.
const LISTED: usize = 10;

/// The results for a terminal: plain ASCII lines of at most 80 columns, but for names and numbers that are longer.
#[must_use]
pub fn terminal(results: &Results) -> String {
    text(results, |verdict| verdict.word.to_owned())
}

/// The same with the verdict in its colour, by ECMA-48's "select graphic rendition".
#[must_use]
pub fn terminal_in_colour(results: &Results) -> String {
    text(results, |verdict| match colour(verdict) {
        Some(colour) => format!("\x1b[1;{colour}m{}\x1b[0m", verdict.word),
        None => verdict.word.to_owned(),
    })
}

/// The colour of a verdict: green, red and yellow for a claim that holds, does not, and holds undisturbed only; blue for
/// what is said of one boot.
fn colour(verdict: &Verdict) -> Option<u8> {
    match verdict.shown? {
        _ if verdict.within_boot => Some(34),
        Shown::Holds => Some(32),
        Shown::DoesNotHold => Some(31),
        Shown::HoldsUndisturbed => Some(33),
        Shown::Inconclusive => None,
    }
}

fn text(results: &Results, word: impl Fn(&Verdict) -> String) -> String {
    let mut lines = wrapped(&words::subject(results), "");
    for line in conditions(results) {
        lines.extend(wrapped(&line, ""));
    }
    lines.push(String::new());
    if results.cases.is_empty() {
        lines.push("no run counts: there is nothing undisturbed to show".to_owned());
    }
    if !results.experienced.is_empty() {
        lines.extend(table_lines(&cases::short(results), results));
        for note in [cases::short_note(results)].into_iter().chain(words::notes(results)) {
            lines.extend(wrapped(&note, ""));
        }
    }
    lines.extend(platform::lines(results));
    lines.extend(compared(results));
    for line in words::excluded(results) {
        let indent = if line.starts_with("  ") { "  " } else { "" };
        lines.extend(wrapped(line.trim_start(), indent));
    }
    lines.extend(refused(results));
    lines.extend(not_run(results));
    lines.extend(diagnosed(results));
    if let Some(report) = &results.claim {
        let verdict = verdict(report);
        lines.extend([String::new(), format!("{}: {}", word(&verdict), rule(&report.rule))]);
        for line in &verdict.lines {
            lines.extend(wrapped(line, "  "));
        }
    }
    lines.extend(not_known(results));
    if let Some(line) = words::publication(results) {
        lines.push(String::new());
        lines.extend(wrapped(&line, ""));
    }
    lines.join("\n") + "\n"
}

/// What a reader needs to place the numbers.
fn conditions(results: &Results) -> Vec<String> {
    let mut lines = words::place(results);
    lines.extend(words::clock(results));
    lines.extend(words::probes(results));
    lines.extend(words::pace(results));
    lines.extend(words::waited(results));
    lines.extend(words::steal(results));
    lines.extend(results.incomplete.as_ref().map(|why| format!("INCOMPLETE: {why}")));
    lines
}

/// The runs that did not pass.
fn refused(results: &Results) -> Vec<String> {
    // There may be millions: only those that are listed are kept.
    let mut refused = results.runs.iter().filter_map(words::refused);
    let listed: Vec<String> = refused.by_ref().take(LISTED).collect();
    if listed.is_empty() {
        return Vec::new();
    }
    let more = refused.count();
    let all = listed.len() + more;
    let mut lines = vec![String::new(), format!("{all} of {} runs did not pass:", results.runs.len())];
    for run in &listed {
        lines.extend(wrapped(run, "  "));
    }
    if more > 0 {
        lines.push(format!("  and {more} more; results.json has all of them"));
    }
    lines
}

/// The cases that were asked for and did not run.
fn not_run(results: &Results) -> Vec<String> {
    let mut lines = Vec::new();
    for line in words::not_run(results) {
        lines.extend(wrapped(&format!("NOT RUN: {line}"), ""));
    }
    if lines.is_empty() { lines } else { [vec![String::new()], lines].concat() }
}

/// Why a guest died.
fn diagnosed(results: &Results) -> Vec<String> {
    let Some([heading, summary, file]) = words::diagnosed(results) else { return Vec::new() };
    let mut lines = vec![String::new()];
    lines.extend(wrapped(&heading, ""));
    lines.extend(wrapped(&summary, "  "));
    lines.push(format!("  {file}"));
    lines
}

/// What logs from elsewhere leave open.
fn not_known(results: &Results) -> Vec<String> {
    if results.not_known.is_empty() {
        return Vec::new();
    }
    let heading = [String::new(), "NOT KNOWN:".to_owned()];
    heading.into_iter().chain(results.not_known.iter().flat_map(|line| wrapped(line, "  "))).collect()
}

/// The lines of a table, which begins with a column of systems if there are several.
fn table_lines(table: &Table, results: &Results) -> Vec<String> {
    let text = if results.comparison.is_some() { table.text_by_group() } else { table.text() };
    text.lines().map(str::to_owned).collect()
}

/// The systems side by side.
fn compared(results: &Results) -> Vec<String> {
    let Some(comparison) = &results.comparison else { return Vec::new() };
    let mut lines = vec![String::new()];
    if comparison.comparable {
        lines.extend(table_lines(&side_by_side::ratios(results, comparison), results));
        lines.extend(side_by_side::notes(comparison).iter().flat_map(|note| wrapped(note, "")));
    } else {
        let refusal = "NOT COMPARABLE: the systems did not have the same work in the same envelope";
        lines.push(refusal.to_owned());
        lines.extend(side_by_side::refusal(comparison).iter().flat_map(|finding| wrapped(finding, "  ")));
    }
    if let Some(excluded) = side_by_side::excluded(results) {
        lines.push(String::new());
        lines.extend(table_lines(&excluded, results));
        lines.extend(wrapped(side_by_side::EXCLUDED, ""));
    }
    if let Some(costs) = side_by_side::costs(results) {
        lines.push(String::new());
        lines.extend(table_lines(&costs, results));
        lines.extend(wrapped(COSTS, ""));
    }
    let differences = side_by_side::differences(comparison);
    if !differences.is_empty() {
        lines.extend([String::new(), "QEMU's commands differ only in:".to_owned()]);
        lines.extend(differences.iter().flat_map(|difference| wrapped(difference, "  ")));
    }
    lines
}

const COSTS: &str = "time from the start of QEMU (native: of the program) to the first byte, the first worker and \
                     the result, by the host's clock, medians; to linux: divided by the Linux guest's, by round";
