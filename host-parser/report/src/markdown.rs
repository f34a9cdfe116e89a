//! summary.md: the table, the claim, and the conditions of both.

use std::io::{self, Write};

use results::Results;

use super::exporter::Exporter;
use super::note::note;
use super::verdict::{rule, verdict};
use super::{cases, conditions, platform, side_by_side, words};

/// Writes a summary in Markdown.
#[derive(Clone, Copy, Debug)]
pub struct SummaryMarkdown;

impl Exporter for SummaryMarkdown {
    fn file_name(&self) -> &'static str {
        "summary.md"
    }

    fn export(&self, results: &Results, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "# {}\n", words::subject(results))?;
        if let Some(why) = &results.incomplete {
            writeln!(out, "**Incomplete**: {why}\n")?;
        }
        if let Some(report) = &results.claim {
            let verdict = verdict(report);
            writeln!(out, "**{}**: {}.\n", verdict.word, rule(&report.rule))?;
            list(out, verdict.lines)?;
            writeln!(out)?;
        }
        if results.cases.is_empty() {
            writeln!(out, "No run counts: there is nothing undisturbed to show.")?;
        }
        if !results.experienced.is_empty() {
            write!(out, "{}", cases::long(results).markdown())?;
            let notes = [cases::long_note(results)].into_iter().chain(words::notes(results));
            writeln!(out)?;
            notes.into_iter().try_for_each(|note| writeln!(out, "- {}", note.replace('*', "\\*")))?;
        }
        platform(results, out)?;
        side_by_side(results, out)?;
        excluded(results, out)?;
        refused(results, out)?;
        diagnosed(results, out)?;
        environment(results, out)?;
        disclosure(results, out)?;
        bounds(results, out)
    }
}

/// The costs of the platform, as the terminal shows them.
fn platform(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let lines = platform::lines(results);
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## The platform\n\n```text")?;
    lines.iter().skip(1).try_for_each(|line| writeln!(out, "{line}"))?;
    writeln!(out, "```")
}

fn excluded(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let lines = words::excluded(results);
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## What is excluded\n")?;
    lines
        .iter()
        .filter(|line| !line.is_empty())
        .try_for_each(|line| writeln!(out, "- {}", line.trim().replace('`', "'")))
}

fn refused(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let mut refused = results.runs.iter().filter_map(words::refused).peekable();
    if refused.peek().is_none() {
        let counted = results.runs.iter().filter(|run| run.excluded.is_none()).count();
        return writeln!(out, "\nAll {counted} runs that count passed.");
    }
    writeln!(out, "\n## Runs that did not pass\n")?;
    list(out, refused.map(|run| code(&run)))
}

fn diagnosed(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let Some([heading, summary, file]) = words::diagnosed(results) else { return Ok(()) };
    writeln!(out, "\n## Why a guest died\n\n{heading}\n")?;
    list(out, [code(&summary), code(&file)])
}

/// The systems side by side: the proof, the ratios, the boot costs.
fn side_by_side(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    if let Some(comparison) = &results.comparison {
        writeln!(out, "\n## Systems side by side\n")?;
        if comparison.comparable {
            write!(out, "{}", side_by_side::ratios(results, comparison).markdown())?;
            writeln!(out)?;
            list(out, side_by_side::notes(comparison))?;
            writeln!(out, "\nShown to be the same in every run of every row:\n")?;
            list(out, side_by_side::same(comparison))?;
        } else {
            writeln!(
                out,
                "**Not comparable**: the systems did not have the same work in the same envelope.\n"
            )?;
            list(out, side_by_side::refusal(comparison).into_iter().map(|finding| code(&finding)))?;
        }
        if let Some(excluded) = side_by_side::excluded(results) {
            writeln!(out, "\n### Excluded on each system\n")?;
            write!(out, "{}", excluded.markdown())?;
            writeln!(out, "\n{}.", side_by_side::EXCLUDED)?;
        }
        let differences = side_by_side::differences(comparison);
        if !differences.is_empty() {
            writeln!(out, "\nQEMU's commands differ only in:\n")?;
            list(out, differences.into_iter().map(|difference| code(&difference)))?;
        }
    }
    let Some(costs) = side_by_side::costs(results) else { return Ok(()) };
    writeln!(out, "\n## Time to the result, memory, size\n")?;
    write!(out, "{}", costs.markdown())?;
    writeln!(out, "\n{COSTS_NOTE}")
}

const COSTS_NOTE: &str = "\
Times by the host's clock, from the start of QEMU (native: of the program) to the first byte, the first
`case-ready` record and the `end` record; medians over the rounds. Memory is the most that QEMU had resident.
The image is what was booted: kernel and ramdisk together.";

fn environment(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## Conditions\n")?;
    list(out, conditions::conditions(results))?;
    let command = results.runs.iter().map(|run| &run.made.command).find(|command| !command.is_empty());
    if let Some(command) = command {
        let command = words::short(&command.join(" "));
        writeln!(out, "\nThe first run's command (results.json has each, with whole paths):\n")?;
        writeln!(out, "```\n{command}\n```")?;
    }
    Ok(())
}

/// The disclosure file. Its values are text from outside: set as code, so that they cannot be markup.
fn disclosure(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let (Some(publication), Some(status)) = (&results.publication, words::publication(results)) else {
        return Ok(());
    };
    writeln!(out, "\n## Disclosure\n\n{status}")?;
    let values: Vec<_> = publication.disclosure.values().collect();
    if !values.is_empty() {
        writeln!(out)?;
    }
    list(out, values.into_iter().map(|(key, value)| format!("{key}: {}", code(value))))?;
    if publication.disclosure.values().next().is_none() {
        return Ok(());
    }
    writeln!(out, "\n## Performance note")?;
    write!(out, "{}", note(results))
}

fn bounds(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "\n## What this does not prove\n")?;
    list(out, conditions::bounds(results).into_iter().map(|line| line.replace('*', "\\*")))?;
    writeln!(out, "\nMade by {}.", results.tool)
}

fn list(out: &mut dyn Write, lines: impl IntoIterator<Item = String>) -> io::Result<()> {
    lines.into_iter().try_for_each(|line| writeln!(out, "- {line}"))
}

/// Details come from logs and commands: nothing in them may end the code span.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('`', "'"))
}
