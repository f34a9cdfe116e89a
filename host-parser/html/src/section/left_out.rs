//! What does not count, and why: excluded by evidence, refused by the gate, not run.

use std::collections::BTreeMap;

use evidence::gate::ReasonCode;
use maud::{Markup, html};
use report::facts;
use results::Results;

use crate::table::list;

/// How many lines are shown unfolded.
const SHOWN: usize = 12;

pub fn section(results: &Results) -> Markup {
    let (excluded, refused, not_run) =
        (facts::excluded(results), facts::refused(results), facts::not_run(results));
    html! {
        section {
            h3 { "What does not count" }
            @if excluded.is_empty() && refused.is_empty() && not_run.is_empty() {
                p { "Nothing: every run that was made passed and counts." }
            }
            (lines("Excluded, on evidence that is independent of the result", &excluded))
            (lines("Refused runs", &refused))
            (lines("Not run", &not_run))
            @if let Some([heading, summary, file]) = facts::diagnosed(results) {
                p { (heading) } ul { li { (summary) } li { (file) } }
            }
            (reasons(results))
        }
    }
}

fn lines(name: &str, lines: &[String]) -> Markup {
    let (shown, folded) = lines.split_at(lines.len().min(SHOWN));
    html! {
        @if !lines.is_empty() {
            h4 { (name) }
            (list(shown))
            @if !folded.is_empty() { details { summary { (folded.len()) " more" } (list(folded)) } }
        }
    }
}

/// The reasons that occur, each with its meaning and what to do.
fn reasons(results: &Results) -> Markup {
    let mut found: BTreeMap<ReasonCode, usize> = BTreeMap::new();
    for run in &results.runs {
        let of_run = run.excluded.as_deref().map(|exclusion| exclusion.reason);
        let refused = run.verdict.outcome.refusal().map(|(reason, _)| reason);
        let samples = run.verdict.outcome.measurement().into_iter().flat_map(|measured| measured.samples());
        let of_samples = samples.filter_map(|sample| Some(sample.excluded.as_ref()?.reason));
        match of_run.or(refused) {
            Some(reason) => *found.entry(reason).or_default() += 1,
            None => of_samples.for_each(|reason| *found.entry(reason).or_default() += 1),
        }
    }
    html! {
        @if !found.is_empty() {
            h4 { "The reasons" }
            dl { @for (reason, count) in &found {
                dt { code { (reason.code()) } " (" (count) ")" }
                dd { (reason.meaning()) " " (reason.remedy()) }
            } }
        }
    }
}
