//! The results on a terminal.

use super::{Results, table, words};

/// How many refused runs are listed one by one.
const LISTED: usize = 10;

/// The results for a terminal: plain ASCII lines.
#[must_use]
pub fn terminal(results: &Results) -> String {
    let mut lines = vec![words::subject(results)];
    lines.extend(words::place(results));
    lines.extend(words::clock(results));
    if let Some(why) = &results.incomplete {
        lines.push(format!("INCOMPLETE: {why}"));
    }
    lines.push(String::new());
    if results.cases.is_empty() {
        lines.push("no run passed: there is nothing to show".to_owned());
    } else {
        lines.extend(table::cases(results).text().lines().map(str::to_owned));
        lines.extend(words::notes(results));
    }
    lines.extend(words::set_aside(results));
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
    if let Some(report) = &results.claim {
        let (word, evidence) = words::verdict(report);
        lines.extend([String::new(), format!("{word}: {}", words::rule(report)), format!("  {evidence}")]);
    }
    lines.join("\n") + "\n"
}
