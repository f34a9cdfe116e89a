//! The commands: the one that repeats the session, and those that ran its guests.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::{Results, RunRecord, System};

pub fn section(results: &Results) -> Markup {
    let guests = guests(results);
    html! {
        section {
            h3 { "Commands" }
            @if let Some(command) = repeat(results) {
                p { "The same experiment in the same order:" }
                pre class="command" tabindex="0" { (command) }
            }
            @if !guests.is_empty() {
                details { summary { "The exact commands of its runs: " (guests.len()) " that differ" }
                    @for (command, runs) in &guests {
                        p { (which(runs)) }
                        pre class="command" tabindex="0" { (command) }
                    }
                }
            }
        }
    }
}

/// The command that runs the same experiment, as far as the results have its options.
fn repeat(results: &Results) -> Option<String> {
    let experiment = &results.experiment;
    let mut words = vec!["assay run".to_owned(), experiment.manifest.clone()?];
    words.extend(experiment.rounds.map(|rounds| format!("--rounds {rounds}")));
    words.extend(experiment.order_seed.map(|seed| format!("--seed {seed}")));
    words.extend(results.environment.pinning.as_ref().map(|pinning| format!("--cpus {}", pinning.host_cpus)));
    if let Some(comparison) = &results.comparison {
        let systems: Vec<&str> = comparison.systems.iter().map(|system| system.word()).collect();
        words.push(format!("--systems {}", systems.join(",")));
    }
    Some(words.join(" "))
}

/// The commands, each with the runs that it ran. The name of a run's own files is written `RUN`.
fn guests(results: &Results) -> Vec<(String, Vec<&RunRecord>)> {
    let mut commands: BTreeMap<String, Vec<&RunRecord>> = BTreeMap::new();
    for run in results.runs.iter().filter(|run| !run.made.command.is_empty()) {
        let command = run.made.command.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ");
        let command = match stem(run) {
            Some(stem) => command.replace(&stem, "RUN"),
            None => command,
        };
        let configuration =
            run.made.configuration.as_ref().map(|text| format!("\n{text}")).unwrap_or_default();
        commands.entry(command + &configuration).or_default().push(run);
    }
    let mut commands: Vec<_> = commands.into_iter().collect();
    commands.sort_by_key(|(_, runs)| runs.first().map(|run| run.run));
    commands
}

/// The name that a run's own files begin with: `run-000-round-1-assay-case-1`.
fn stem(run: &RunRecord) -> Option<String> {
    let name = run.made.log.as_deref()?.rsplit('/').next()?;
    Some(name.strip_suffix(".serial.log")?.to_owned())
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_=,.:/+@%".contains(&byte);
    if !word.is_empty() && word.bytes().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

fn which(runs: &[&RunRecord]) -> String {
    let mut of: Vec<(System, Option<u16>)> = runs.iter().map(|run| (run.system, run.case)).collect();
    of.sort_unstable();
    of.dedup();
    let named: Vec<String> = of
        .into_iter()
        .map(|(system, case)| match case {
            Some(case) => format!("{system}, case {case}"),
            None => system.to_string(),
        })
        .collect();
    let plural = if runs.len() == 1 { "run" } else { "runs" };
    format!("{}: {} {plural}", named.join("; "), runs.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        for (word, shown) in
            [("-smp", "-smp"), ("a b", "'a b'"), ("", "''"), ("it's", "'it'\\''s'"), ("$x", "'$x'")]
        {
            assert_eq!(quoted(word), shown);
        }
    }
}
