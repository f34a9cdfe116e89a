//! The figures of a session.

use maud::{Markup, html};
use report::{facts, rate_note, rate_table};
use results::{Price, Results};

use crate::figure::{self, Figure, places};
use crate::points::Points;
use crate::table::{data, list, table, without};

pub fn section(results: &Results, points: &Points, price: Option<&Price>) -> Markup {
    let places = places(results);
    let mut scaling: Vec<Figure> = figure::scaling(results, points).into_iter().collect();
    scaling.extend(figure::efficiency(results, points));
    scaling.extend(figure::rounds(results, points));
    scaling.extend(figure::time_histograms(points));
    let mut platform: Vec<Figure> = figure::costs(&places).into_iter().collect();
    platform.extend(figure::heat_maps(&places));
    platform.extend(figure::histograms(&places));
    let mut host: Vec<Figure> = figure::session(results).into_iter().collect();
    host.extend(figure::timelines(results));
    // In milliseconds a person needs no cycles; the folded table has them.
    let cases = facts::cases(results);
    let hidden: &[&str] = if points.unit == "ms" { &["median", "min", "max", "stdev"] } else { &[] };
    html! {
        section {
            h3 { "Result" }
            @if results.cases.is_empty() && places.is_empty() { p { "No run counts: there is nothing undisturbed to show." } }
            @if !results.experienced.is_empty() {
                (table(&without(&cases, hidden), "Every case with both of its figures"))
                (list(&facts::case_notes(results)))
                @if !hidden.is_empty() { (data(&cases, "every column")) }
            }
            @if let Some(rates) = rate_table(results, price) {
                h4 { "Work a second" }
                (table(&rates, "Work a second"))
                p { (rate_note(results, price)) }
            }
            (group(&scaling, "figures"))
        }
        @if !platform.is_empty() {
            section {
                h3 { "The platform" }
                (group(&platform, "figures packed"))
                details { summary { "All rows as text" }
                    div class="scroll" tabindex="0" role="region" aria-label="All rows of the platform" {
                        pre { (facts::platform(results).join("\n").trim()) }
                    }
                }
            }
        }
        @if !host.is_empty() {
            section {
                h3 { "What happened when" }
                (group(&host, "figures"))
            }
        }
    }
}

fn group(figures: &[Figure], class: &str) -> Markup {
    html! { @if !figures.is_empty() { div class=(class) { @for figure in figures { (figure.markup()) } } } }
}
