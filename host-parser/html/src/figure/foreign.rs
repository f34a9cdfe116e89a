//! Figures of another tool on one logarithmic scale, beside our rows about the same quantity.

use foreign::Figures;
use maud::{Markup, html};
use report::{BesideOurs, Table, beside_ours};
use results::{Results, System};

use super::Figure;
use super::legend::{entry, style_of};
use crate::svg::{Frame, Path, Plot, Scale, WIDTH, drawing, number};
use crate::table::empty;

/// How high a line is.
const LINE: f64 = 18.0;

/// The longest name that stands beside a line; the table has it whole.
const NAME: usize = 25;

/// The figure. `place` is the number of the tool's file in the document: two files can be of one tool.
pub fn foreign(results: &Results, figures: &Figures, place: usize) -> Figure {
    let all = beside_ours(results, figures);
    let tool = figures.tool.word();
    let shown: Vec<&BesideOurs<'_>> = all.iter().filter(|of| value(of).is_some()).collect();
    Figure {
        name: format!("Foreign {place}: {tool}"),
        drawing: lines(&shown, tool),
        caption: html! {
            p { "FOREIGN, " (tool) ", from " code { (figures.path.display()) } ": " (figures.tool.kind()) ". Not judged." }
            @if all.iter().any(|of| of.ours.is_some()) {
                p { "Ours: the median over boots of the row's medians." }
                p class="legend" {
                    (entry("s2", None, tool))
                    (entry(&format!("s{}", style_of(System::Assay)), Some(style_of(System::Assay)), System::Assay.word()))
                }
            }
            @for of in &all {
                @if let Some(beside) = of.foreign.beside.filter(|beside| !beside.differs.is_empty()) {
                    p { code { (of.foreign.name) } ": " (beside.differs) }
                }
            }
        },
        data: Some(table(&all)),
    }
}

/// A figure that has a place on a logarithmic scale.
fn value(of: &BesideOurs<'_>) -> Option<f64> {
    of.foreign.value.filter(|&value| value > 0.0)
}

fn lines(shown: &[&BesideOurs<'_>], tool: &str) -> Markup {
    let frame =
        Frame { left: 190.0, right: WIDTH - 14.0, top: 8.0, bottom: 8.0 + LINE * shown.len().max(1) as f64 };
    let values = shown.iter().flat_map(|of| [value(of), of.ours]).flatten();
    let plot = Plot {
        frame,
        x: Scale::log_around(values.collect::<Vec<_>>()),
        y: Scale::Linear { low: 0.0, high: 1.0 },
    };
    let unit = shown.first().map_or("", |of| of.foreign.unit.word());
    let marks: Vec<_> = (0_u16..)
        .zip(shown)
        .map(|(line, of)| {
            let y = frame.top + LINE * (f64::from(line) + 0.5);
            let (mut dot, mut mark) = (Path::default(), Path::default());
            value(of).into_iter().for_each(|value| dot.dot(plot.at_x(value), y));
            of.ours.into_iter().for_each(|ours| mark.mark(style_of(System::Assay), plot.at_x(ours), y));
            (y, shortened(&of.foreign.name), dot, mark)
        })
        .collect();
    let content = html! {
        (plot.axes(&plot.x.labelled(6), &[], [unit, ""]))
        @for (y, name, dot, mark) in &marks {
            text class="tick long" x="184" y=(number(y + 4.0)) text-anchor="end" { (name) }
            path class="dots s2" d=(dot.text()) {}
            path class=(format!("mark s{}", style_of(System::Assay))) d=(mark.text()) {}
        }
    };
    let described = format!("{} figures of {tool}, in {unit}, and ours of the same quantities.", shown.len());
    drawing(frame.drawing_height(), &described, &content)
}

fn shortened(name: &str) -> String {
    if name.chars().count() <= NAME {
        return name.to_owned();
    }
    name.chars().take(NAME - 3).chain("...".chars()).collect()
}

fn table(all: &[BesideOurs<'_>]) -> Table {
    let header = ["foreign", "figure", "unit", "samples", "note", "our row", "ours", "ours/foreign"];
    let mut table = empty(header, &[0, 2, 4, 5]);
    let none = || "-".to_owned();
    for of in all {
        table.rows.push(vec![
            of.foreign.name.clone(),
            of.foreign.value.map_or_else(|| "skipped".to_owned(), number_of),
            of.foreign.unit.word().to_owned(),
            of.foreign.samples.to_string(),
            of.foreign.note.clone(),
            of.row().unwrap_or_else(none),
            of.ours.map_or_else(none, number_of),
            of.ratio().map_or_else(none, |ratio| format!("{ratio:.2}")),
        ]);
    }
    table
}

fn number_of(value: f64) -> String {
    format!("{value:.4}")
}
