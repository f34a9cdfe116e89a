//! The results on a terminal.

use std::borrow::Cow;

use textwrap::{Options, WordSplitter};

use super::table::{self, Table};
use super::{side_by_side, words};
use results::Results;

/// How many refused runs are listed one by one.
const LISTED: usize = 10;
/// The longest line of a sentence that is broken.
const WIDTH: usize = 100;

/// The results for a terminal: plain ASCII lines.
#[must_use]
pub fn terminal(results: &Results) -> String {
    let mut lines = vec![words::subject(results)];
    lines.extend(words::place(results));
    lines.extend(words::clock(results));
    lines.extend(words::probes(results));
    lines.extend(words::pace(results));
    lines.extend(words::waited(results));
    lines.extend(words::steal(results));
    if let Some(why) = &results.incomplete {
        lines.push(format!("INCOMPLETE: {why}"));
    }
    lines.push(String::new());
    if results.cases.is_empty() {
        lines.push("no run counts: there is nothing to show".to_owned());
    } else {
        lines.extend(table_lines(&table::cases(results)));
        lines.extend(words::notes(results));
    }
    lines.extend(compared(results));
    lines.extend(words::excluded(results));
    let refused: Vec<String> = results.runs.iter().filter_map(words::refused).collect();
    if !refused.is_empty() {
        lines.extend([
            String::new(),
            format!("{} of {} runs did not pass:", refused.len(), results.runs.len()),
        ]);
        lines.extend(refused.iter().take(LISTED).map(|run| format!("  {run}")));
        if refused.len() > LISTED {
            lines.push(format!("  and {} more; results.json has all of them", refused.len() - LISTED));
        }
    }
    lines.extend(diagnosed(results));
    if let Some(report) = &results.claim {
        let (word, evidence) = words::verdict(report);
        lines.extend([String::new(), format!("{word}: {}", words::rule(report)), format!("  {evidence}")]);
    }
    lines.extend(not_known(results));
    lines.extend(words::publication(results).map(|line| format!("\n{line}")));
    lines.join("\n") + "\n"
}

/// Why a guest died.
fn diagnosed(results: &Results) -> Vec<String> {
    let Some([heading, summary, file]) = words::diagnosed(results) else { return Vec::new() };
    let mut lines = vec![String::new(), heading];
    lines.extend(wrapped(&summary));
    lines.push(format!("  {file}"));
    lines
}

/// What logs from elsewhere leave open.
fn not_known(results: &Results) -> Vec<String> {
    if results.not_known.is_empty() {
        return Vec::new();
    }
    let heading = [String::new(), "NOT KNOWN:".to_owned()];
    heading.into_iter().chain(results.not_known.iter().flat_map(|line| wrapped(line))).collect()
}

/// A sentence as indented lines, broken at its spaces.
fn wrapped(sentence: &str) -> Vec<String> {
    let options = Options::new(WIDTH)
        .initial_indent("  ")
        .subsequent_indent("  ")
        .word_splitter(WordSplitter::NoHyphenation)
        .break_words(false);
    textwrap::wrap(sentence, options).into_iter().map(Cow::into_owned).collect()
}

fn table_lines(table: &Table) -> Vec<String> {
    table.text().lines().map(str::to_owned).collect()
}

/// The systems side by side.
fn compared(results: &Results) -> Vec<String> {
    let Some(comparison) = &results.comparison else { return Vec::new() };
    let mut lines = vec![String::new()];
    if comparison.comparable {
        lines.extend(table_lines(&side_by_side::ratios(results, comparison)));
        lines.extend(side_by_side::notes(comparison));
    } else {
        lines.push("NOT COMPARABLE: the systems did not have the same work in the same envelope".to_owned());
        lines.extend(side_by_side::refusal(comparison).iter().map(|finding| format!("  {finding}")));
    }
    if let Some(costs) = side_by_side::costs(results) {
        lines.push(String::new());
        lines.extend(table_lines(&costs));
        lines.push(
            "time from the start of QEMU (native: of the program) to the first byte, the first worker and"
                .to_owned(),
        );
        lines.push(
            "the result, by the host's clock, medians; to linux: divided by the Linux guest's, by round"
                .to_owned(),
        );
    }
    let differences = side_by_side::differences(comparison);
    if !differences.is_empty() {
        lines.extend([String::new(), "QEMU's commands differ only in:".to_owned()]);
        lines.extend(differences.iter().map(|difference| format!("  {difference}")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_broken_at_its_spaces_and_a_long_word_is_not() {
        let long = "x".repeat(WIDTH);
        let lines = wrapped(&format!("{} {long} end", "word ".repeat(30).trim_end()));
        assert!(lines.iter().all(|line| line.starts_with("  ") && !line.ends_with(' ')), "{lines:?}");
        assert!(lines.iter().all(|line| line.len() <= WIDTH || line.trim() == long), "{lines:?}");
        assert_eq!(lines.join("").split_whitespace().count(), 32, "{lines:?}");
        assert_eq!(lines.len(), 4);
    }
}
