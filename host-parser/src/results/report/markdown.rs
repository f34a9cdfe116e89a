//! summary.md: the table, the claim, and what they rest on.

use std::io::{self, Write};

use super::{Exporter, Results, Tool, table, words};

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
            let (word, evidence) = words::verdict(report);
            writeln!(out, "**{word}**: {}; {evidence}.\n", words::rule(report))?;
        }
        if results.cases.is_empty() {
            writeln!(out, "No run passed: there is nothing to show.")?;
        } else {
            write!(out, "{}", table::cases(results).markdown())?;
            let notes = words::notes(results);
            writeln!(out)?;
            notes.iter().try_for_each(|note| writeln!(out, "- {}", note.replace('*', "\\*")))?;
        }
        set_aside(results, out)?;
        refused(results, out)?;
        environment(results, out)
    }
}

fn set_aside(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let lines = words::set_aside(results);
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "\n## Rounds set aside\n")?;
    // The first two are an empty line and the heading.
    lines.iter().skip(2).try_for_each(|line| writeln!(out, "- {}", line.trim().replace('`', "'")))
}

fn refused(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let refused: Vec<String> = results.runs.iter().filter_map(words::refused).collect();
    if refused.is_empty() {
        let counted = results.runs.iter().filter(|run| run.set_aside.is_none()).count();
        return writeln!(out, "\nAll {counted} runs that count passed.");
    }
    writeln!(out, "\n## Runs that did not pass\n")?;
    // Details come from logs: nothing in them may end the code span.
    refused.iter().try_for_each(|run| writeln!(out, "- `{}`", run.replace('`', "'")))
}

fn environment(results: &Results, out: &mut dyn Write) -> io::Result<()> {
    let environment = &results.environment;
    writeln!(out, "\n## Conditions\n")?;
    let mut lines = words::place(results).into_iter().chain(words::clock(results));
    lines.try_for_each(|line| writeln!(out, "- {line}"))?;
    if let Some(accelerator) = &environment.accelerator {
        writeln!(out, "- accelerator {}: {}", accelerator.name, accelerator.why)?;
    }
    for artifact in &environment.artifacts {
        writeln!(out, "- {}: {} bytes, SHA-256 `{}`", artifact.name, artifact.bytes, artifact.sha256)?;
    }
    let order: Vec<String> = results.runs.iter().filter_map(|run| Some(run.case?.to_string())).collect();
    if !order.is_empty() {
        writeln!(out, "- cases in the order they were run: {}", order.join(" "))?;
    }
    let command = results.runs.iter().map(|run| &run.command).find(|command| !command.is_empty());
    if let Some(command) = command {
        writeln!(
            out,
            "\nThe first run's command (results.json has each):\n\n```\n{}\n```",
            command.join(" ")
        )?;
    }
    let Tool { name, version } = &results.tool;
    writeln!(out, "\nMade by {name} {version}.")
}
