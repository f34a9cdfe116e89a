//! GitHub's workflow commands, which become annotations, and the summary of a step.
//!
//! Source: docs.github.com, "Workflow commands for GitHub Actions" (setting an error message; adding a job summary), and the
//! escapes of actions/toolkit, `packages/core/src/command.ts`.

use std::fmt::Write as _;

use crate::checks::Outcome;
use crate::suite::Suite;

/// GitHub shows at most so many annotations of a level for a step.
const MOST: usize = 10;
/// The longest text that is quoted in a summary, in bytes. A step's summary may have 1 MiB.
const LONGEST: usize = 512 << 10;

/// The tests as workflow commands, one a line: errors for what failed or has no evidence, warnings for what was skipped, and a
/// notice that counts what passed. `next` ends the first error, or the first warning.
#[must_use]
pub fn annotations(suites: &[Suite], next: Option<&str>) -> String {
    let (mut errors, mut warnings, mut passed) = (Vec::new(), Vec::new(), 0);
    for suite in suites {
        for check in &suite.checks {
            let title = format!("{}: {}", suite.name, check.name);
            match &check.outcome {
                Outcome::Passed => passed += 1,
                Outcome::Failed(code, detail) | Outcome::Error(code, detail) => {
                    errors.push((title, format!("{code}: {detail}")));
                }
                Outcome::Skipped(code, detail) => warnings.push((title, format!("{code}: {detail}"))),
            }
        }
    }
    if let (Some(next), Some((_, message))) = (next, errors.first_mut().or(warnings.first_mut())) {
        let _ = write!(message, "\nnext: {next}");
    }
    let mut text = level("error", &errors) + &level("warning", &warnings);
    if passed > 0 {
        let tests = if passed == 1 { "check" } else { "checks" };
        text += &command("notice", "assay", &format!("{passed} {tests} passed"));
    }
    text
}

/// The annotations of a level; the last one counts those that GitHub would not show.
fn level(name: &str, all: &[(String, String)]) -> String {
    let shown = if all.len() > MOST { MOST - 1 } else { all.len() };
    let mut text: String =
        all[..shown].iter().map(|(title, message)| command(name, title, message)).collect();
    if shown < all.len() {
        text += &command(name, "assay", &format!("{} more: the step's summary has all", all.len() - shown));
    }
    text
}

fn command(level: &str, title: &str, message: &str) -> String {
    format!("::{level} title={}::{}\n", property(title), data(message))
}

/// The value of a command.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The value of a command's property: there `:` and `,` end it, too.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// The tests as Markdown for a step's summary, then what a person would have read, then what to do next.
#[must_use]
pub fn step_summary(suites: &[Suite], text: &str, next: Option<&str>) -> String {
    let mut markdown = String::new();
    for suite in suites {
        let _ =
            write!(markdown, "### {}\n\n| check | outcome | detail |\n|---|---|---|\n", cell(&suite.name));
        for check in &suite.checks {
            let (word, code, detail) = match &check.outcome {
                Outcome::Passed => ("passed", "", ""),
                Outcome::Failed(code, detail) => ("**failed**", code.as_str(), detail.as_str()),
                Outcome::Error(code, detail) => ("**error**", code.as_str(), detail.as_str()),
                Outcome::Skipped(code, detail) => ("skipped", code.as_str(), detail.as_str()),
            };
            let separator = if code.is_empty() { "" } else { ": " };
            let (name, code, detail) = (cell(&check.name), cell(code), cell(detail));
            let _ = writeln!(markdown, "| {name} | {word} | {code}{separator}{detail} |");
        }
        markdown.push('\n');
    }
    if !text.is_empty() {
        let (text, fence) = (cut(text), fence(text));
        let _ = write!(
            markdown,
            "<details><summary>assay</summary>\n\n{fence}text\n{text}\n{fence}\n\n</details>\n\n"
        );
    }
    if let Some(next) = next {
        let _ = writeln!(markdown, "next: {}", cell(next));
    }
    markdown
}

/// Text that no Markdown or HTML in it can change (CommonMark 0.31, section 2.4): each mark of either is escaped.
fn cell(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\r' | '\n' | '\t' => escaped.push(' '),
            '<' => escaped += "&lt;",
            '>' => escaped += "&gt;",
            '&' => escaped += "&amp;",
            '@' | '#' | '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' => {
                escaped.push('\\');
                escaped.push(letter);
            }
            other => escaped.push(other),
        }
    }
    escaped
}

/// A fence that is longer than any run of backticks in the text.
fn fence(text: &str) -> String {
    let longest = text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

/// The text without what is too long, cut at a line.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let whole = end == text.len();
    let end = if whole { end } else { text[..end].rfind('\n').unwrap_or(end) };
    text[..end].trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::Check;

    fn suite(checks: Vec<(&str, Outcome)>) -> Suite {
        let checks = checks.into_iter().map(|(name, outcome)| Check { name: name.to_owned(), outcome });
        Suite::named("smp: a, b", checks.collect())
    }

    fn failed(detail: &str) -> Outcome {
        Outcome::Failed("slower".to_owned(), detail.to_owned())
    }

    #[test]
    fn text_from_logs_cannot_begin_a_command_or_end_a_property() {
        let text = annotations(&[suite(vec![("case,1", failed("100 %\n::error::x\r"))])], None);
        assert_eq!(text, "::error title=smp%3A a%2C b%3A case%2C1::slower: 100 %25%0A::error::x%0D\n");
    }

    #[test]
    fn passed_checks_are_counted_and_next_ends_the_first_annotation() {
        let skipped = Outcome::Skipped("host-contended".to_owned(), "busy".to_owned());
        let suites = [suite(vec![("a", Outcome::Passed), ("b", skipped), ("c", Outcome::Passed)])];
        let text = annotations(&suites, Some("wait"));
        assert!(
            text.contains("::warning title=smp%3A a%2C b%3A b::host-contended: busy%0Anext: wait\n"),
            "{text}"
        );
        assert!(text.ends_with("::notice title=assay::2 checks passed\n"), "{text}");
    }

    #[test]
    fn no_more_annotations_are_made_than_are_shown() {
        let text = annotations(&[suite((0..25).map(|_| ("case", failed("x"))).collect())], None);
        assert_eq!(text.lines().count(), MOST, "{text}");
        assert!(text.ends_with("::16 more: the step's summary has all\n"), "{text}");
    }

    #[test]
    fn a_summary_escapes_markdown_and_html() {
        let suites = [suite(vec![("a|b", failed("<img src=x> *y* [z](u) @all #1\n| c |"))])];
        let text = step_summary(&suites, "```\nx", Some("do `this`"));
        let row =
            "| a\\|b | **failed** | slower: &lt;img src=x&gt; \\*y\\* \\[z\\](u) \\@all \\#1 \\| c \\| |\n";
        assert!(text.contains(row), "{text}");
        assert!(text.contains("\n````text\n```\nx\n````\n"), "{text}");
        assert!(text.ends_with("next: do \\`this\\`\n"), "{text}");
        let long = step_summary(&[], &"line of text\n".repeat(100_000), None);
        assert!(long.len() <= LONGEST + 200 && long.contains("line of text\n```\n"), "{}", long.len());
    }
}
