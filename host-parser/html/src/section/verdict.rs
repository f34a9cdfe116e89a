//! The verdict and its reason in words.

use maud::{Markup, html};
use report::facts;
use report::page::{Headline, Stored, Tone};
use report::{Exporter, ResultsJson};

use crate::table::{list, sentence};
use crate::{Origin, Subject};

/// The class of a tone: its colour.
const fn class(tone: Tone) -> &'static str {
    match tone {
        Tone::Good => "good",
        Tone::Bad => "bad",
        Tone::Partly => "partly",
        Tone::OneBoot => "one-boot",
        Tone::None => "none",
    }
}

/// The headline of a session, as `assay show` has it: both are made of results.json.
pub fn headline(subject: &Subject<'_>) -> Option<Headline> {
    let mut json = Vec::new();
    ResultsJson.export(subject.results, &mut json).ok()?;
    Some(Headline::of(&Stored::read(&json).ok()?))
}

/// The verdict's word in its colour.
pub fn badge(headline: &Headline) -> Markup {
    html! { span class=(format!("badge {}", class(headline.tone))) { (headline.word) } }
}

pub fn section(subject: &Subject<'_>) -> Markup {
    let Some(headline) = headline(subject) else { return html! {} };
    let results = subject.results;
    let claim = facts::claim(results);
    let lines = claim.map_or_else(|| headline.lines.clone(), |claim| claim.lines);
    let reason = results.refusal().map(|(reason, _)| reason);
    html! {
        section class=(format!("verdict {}", class(headline.tone))) aria-label="Verdict" {
            p class="word" { (badge(&headline)) " " (headline.about) }
            (list(&lines))
            @if let Some(reason) = reason {
                p { code { (reason.code()) } ": " (reason.meaning()) }
            }
            @if let Some(why) = &results.incomplete { p { strong { "Incomplete: " } (why) } }
            p class="next" { strong { "Next: " } (sentence(&headline.next(subject.name))) }
            (proof(subject.origin))
        }
    }
}

/// What holds the results together, in a sentence.
fn proof(origin: &Origin) -> Markup {
    html! {
        p class="proof" {
            @match origin {
                Origin::Sealed { head, problems, .. } if problems.is_empty() => {
                    "Verified: for this report every log was judged again, and the stored results follow from them. "
                    "Head of the chain " code { (head) } "."
                }
                Origin::Sealed { problems, .. } => {
                    strong { "NOT VERIFIED: " } (problems.len()) " differences between what is stored and what follows from the "
                    "logs. They are listed under Evidence."
                }
                Origin::Logs => {
                    "From serial logs without a chain: nothing shows that no boot was left out. No host watched these boots."
                }
            }
        }
    }
}
