//! Figures of other tools: a figure for each file, with its data.

use maud::{Markup, html};

use crate::Subject;
use crate::figure;

pub fn section(subject: &Subject<'_>) -> Markup {
    html! {
        @if !subject.foreign.is_empty() {
            section {
                h3 { "Foreign figures" }
                p { "Of other tools, as they printed them: without proof of work, of the clock or of the host. No rule judges them, and "
                    "no verdict depends on them." }
                div class="figures" {
                    @for (number, figures) in (1..).zip(subject.foreign) {
                        (figure::foreign(subject.results, figures, number).markup())
                    }
                }
            }
        }
    }
}
