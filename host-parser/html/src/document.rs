//! The document: its head, the overview if it has several sessions, and each session.

use maud::{DOCTYPE, Markup, PreEscaped, html};
use report::page::Headline;

use crate::Subject;
use crate::section::{self, verdict};

/// Ours, so that nothing in it needs escaping.
const STYLE: &str = include_str!("style.css");

/// Nothing may be loaded, and no script may run, wherever the file is opened.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

/// The sessions as one HTML file.
#[must_use]
pub fn document(subjects: &[Subject<'_>]) -> String {
    let several = subjects.len() > 1;
    let title = match subjects {
        [] => "Nothing to report".to_owned(),
        [only] => only.results.experiment.name.clone(),
        [first, ..]
            if subjects.iter().all(|of| of.results.experiment.name == first.results.experiment.name) =>
        {
            format!("{}, {} sessions", first.results.experiment.name, subjects.len())
        }
        _ => format!("{} sessions", subjects.len()),
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                meta name="color-scheme" content="light dark";
                title { (title) ": Assay report" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    p class="over" { "Assay report" }
                    h1 { (title) }
                }
                main {
                    @if several { (overview(subjects)) (section::ratios(subjects)) }
                    @for subject in subjects { (section::sections(subject, several)) }
                }
                footer { @if let Some(first) = subjects.first() { p { "Made by " (first.results.tool) ". Terms: docs/GLOSSARY.md. "
                    "Reasons: docs/GATE.md." } } }
            }
        }
    };
    page.into_string()
}

/// One line for each session.
fn overview(subjects: &[Subject<'_>]) -> Markup {
    html! {
        section {
            h2 { "Sessions" }
            div class="scroll" tabindex="0" role="region" aria-label="Sessions" {
                table {
                    thead { tr { th scope="col" class="l" { "experiment" } th scope="col" class="l" { "session" }
                        th scope="col" class="l" { "verdict" } th scope="col" class="l" { "about" } th scope="col" { "runs" } } }
                    tbody { @for subject in subjects { (line(subject, verdict::headline(subject).as_ref())) } }
                }
            }
        }
    }
}

fn line(subject: &Subject<'_>, headline: Option<&Headline>) -> Markup {
    let experiment = &subject.results.experiment;
    html! {
        tr {
            td class="l" { (experiment.name) }
            td class="l" { (experiment.label.as_deref().unwrap_or(subject.name)) }
            td class="l" { @if let Some(headline) = headline { (verdict::badge(headline)) } }
            td class="l" { @if let Some(headline) = headline { (headline.about) } }
            td { (subject.results.runs.len()) }
        }
    }
}
