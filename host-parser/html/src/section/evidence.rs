//! What the results follow from: the logs by their SHA-256, and what does not verify.

use maud::{Markup, html};
use results::RunRecord;

use crate::table::list;
use crate::{Origin, Subject};

pub fn section(subject: &Subject<'_>) -> Markup {
    let (problems, folder): (&[String], Option<&str>) = match subject.origin {
        Origin::Sealed { problems, folder, .. } => (problems, folder.as_deref()),
        Origin::Logs => (&[], None),
    };
    let logs: Vec<&RunRecord> = subject.results.runs.iter().filter(|run| run.made.log.is_some()).collect();
    html! {
        section {
            h3 { "Evidence" }
            @if !problems.is_empty() { p { strong { "What does not verify:" } } (list(problems)) }
            @if matches!(subject.origin, Origin::Sealed { .. }) {
                p { "This derives every figure from the logs again:" }
                pre class="command" tabindex="0" { "assay verify " (subject.name) }
            }
            @if !logs.is_empty() {
                details { summary { "The " (logs.len()) " serial logs and their SHA-256" }
                    div class="scroll" tabindex="0" role="region" aria-label="Serial logs" {
                        table {
                            thead { tr { th scope="col" { "run" } th scope="col" class="l" { "log" } th scope="col" class="l" { "SHA-256" } } }
                            tbody { @for run in &logs { tr {
                                td { (run.run) }
                                td class="l" { (log(run, folder)) }
                                td class="l" { code { (digest(run)) } }
                            } } }
                        }
                    }
                }
            }
        }
    }
}

/// A log's name; a link, if it can be opened from the document.
fn log(run: &RunRecord, folder: Option<&str>) -> Markup {
    let path = run.made.log.as_deref().unwrap_or("-");
    let name = path.rsplit('/').next().unwrap_or(path);
    html! {
        @match folder {
            Some(folder) => a href=(format!("{folder}/{name}")) { (name) },
            None => (name),
        }
    }
}

fn digest(run: &RunRecord) -> String {
    let digest = run.made.sealed.as_ref().and_then(|sealed| sealed.log_sha256);
    digest.map_or("-".to_owned(), |digest| digest.to_string())
}
