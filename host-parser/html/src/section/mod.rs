//! The parts of a session's report, in their order.

mod commands;
mod conditions;
mod differences;
mod evidence;
mod figures;
mod foreign;
mod left_out;
pub mod verdict;

use maud::{Markup, html};

use crate::Subject;
use crate::figure;
use crate::points::Points;

/// All that is reported of one session. `several` is whether the document has others.
pub fn sections(subject: &Subject<'_>, several: bool) -> Markup {
    let points = Points::of(subject.results);
    html! {
        article {
            h2 class=[(!several).then_some("under")] { (report::facts::subject(subject.results)) }
            (verdict::section(subject))
            (differences::section(subject.results))
            @if !several { (ratios(&[*subject])) }
            (figures::section(subject.results, &points, subject.price))
            (foreign::section(subject))
            (left_out::section(subject.results))
            (conditions::section(subject.results))
            (commands::section(subject.results))
            (evidence::section(subject))
        }
    }
}

/// Every workload and row of the platform next to Linux, of all sessions; nothing if Linux may be compared in none.
pub fn ratios(subjects: &[Subject<'_>]) -> Markup {
    html! {
        @if let Some(figure) = figure::ratios(subjects) {
            section {
                h3 { "Next to Linux" }
                div class="figures" { (figure.markup()) }
            }
        }
    }
}
