//! What the systems differ in, before any figure compares them.

use maud::{Markup, html};
use report::facts;
use results::Results;

use crate::table::{list, table};

pub fn section(results: &Results) -> Markup {
    let Some(side) = facts::side_by_side(results) else { return html! {} };
    html! {
        section {
            h3 { "What the systems differ in" }
            @if side.refusal.is_empty() {
                p { "They did the same work in the same envelope, by each run's own log and command. Shown to be the same in every "
                    "run of every row:" }
                (list(&side.same))
            } @else {
                p { strong { "NOT COMPARABLE: " } "the systems did not have the same work in the same envelope. No figure of one is "
                    "divided by another's." }
                (list(&side.refusal))
            }
            @if !side.differences.is_empty() { p { "Their commands differ only in:" } (list(&side.differences)) }
            @if let Some(of) = &side.ratios { (table(of, "Ratios of speed-ups")) (list(&side.notes)) }
        }
    }
}
