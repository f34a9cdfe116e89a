//! The conditions, the disclosure, the bounds of what is shown.

use maud::{Markup, html};
use report::facts;
use results::Results;

use crate::table::{list, table};

pub fn section(results: &Results) -> Markup {
    html! {
        section {
            h3 { "Conditions" }
            (list(&facts::conditions(results)))
            @if let Some(costs) = facts::costs(results) {
                h4 { "Time to the result, memory, size" }
                (table(&costs, "Time to the result, memory, size"))
            }
            (disclosure(results))
        }
        section {
            h3 { "What this does not prove" }
            (list(&facts::bounds(results)))
        }
    }
}

fn disclosure(results: &Results) -> Markup {
    html! {
        @if let (Some(publication), Some(status)) = (&results.publication, facts::publication(results)) {
            h4 { "Disclosure" }
            p { (status) }
            dl { @for (key, value) in publication.disclosure.values() { dt { (key) } dd { (value) } } }
        }
    }
}
