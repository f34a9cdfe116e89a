//! Ratios to Linux: every workload and row of the platform that Linux ran in the same session, and no figure for all of them.

use maud::html;
use report::Table;
use results::{System, WorkloadFigures};
use stats::{Interval, PairedRatio};

use super::Figure;
use super::legend::{self, style_of};
use super::over_boots::{cpus, places, row_name};
use crate::Subject;
use crate::svg::{Frame, Path, Plot, Scale, WIDTH, drawing, number};
use crate::table::empty;

/// How high a line is.
const LINE: f64 = 18.0;

/// How many times as fast as Linux a system is at one thing.
struct Ratio {
    what: String,
    system: System,
    median: f64,
    interval: Option<Interval>,
    rounds: usize,
}

/// The figure; `None` if Linux ran in no session, or may not be compared in any.
pub fn ratios(subjects: &[Subject<'_>]) -> Option<Figure> {
    let ratios: Vec<Ratio> = subjects.iter().flat_map(of_subject).collect();
    if ratios.is_empty() {
        return None;
    }
    let frame =
        Frame { left: 190.0, right: WIDTH - 14.0, top: 8.0, bottom: 8.0 + LINE * ratios.len() as f64 };
    let ends = ratios.iter().flat_map(|of| {
        let (low, high) = of.interval.map_or((of.median, of.median), |of| (of.low, of.high));
        [low, of.median, high]
    });
    let plot = Plot {
        frame,
        x: Scale::log_around(ends.chain([0.9, 1.1]).collect::<Vec<_>>()),
        y: Scale::Linear { low: 0.0, high: 1.0 },
    };
    let mut one = Path::default();
    one.line((plot.at_x(1.0), frame.top), (plot.at_x(1.0), frame.bottom));
    let lines: Vec<_> = ratios
        .iter()
        .enumerate()
        .map(|(line, of)| {
            let y = frame.top + LINE * (line as f64 + 0.5);
            let (mut whisker, mut mark) = (Path::default(), Path::default());
            mark.mark(style_of(of.system), plot.at_x(of.median), y);
            if let Some(Interval { low, high, .. }) = of.interval {
                whisker.line((plot.at_x(low), y), (plot.at_x(high), y));
            }
            (y, of.what.as_str(), style_of(of.system), whisker, mark)
        })
        .collect();
    let content = html! {
        (plot.axes(&plot.x.labelled(6), &[], ["times as fast as Linux (right: faster)", ""]))
        path class="ideal" d=(one.text()) {}
        @for (y, what, style, whisker, mark) in &lines {
            text class="tick long" x="184" y=(number(y + 4.0)) text-anchor="end" { (what) }
            path class=(format!("whisker s{style}")) d=(whisker.text()) {}
            path class=(format!("mark s{style}")) d=(mark.text()) {}
        }
    };
    let mut systems: Vec<System> = ratios.iter().map(|of| of.system).collect();
    systems.sort_unstable();
    systems.dedup();
    Some(Figure {
        name: "Times as fast as Linux".to_owned(),
        drawing: drawing(
            frame.drawing_height(),
            &format!("{} ratios of Linux's time to another system's, in the same session.", ratios.len()),
            &content,
        ),
        caption: html! {
            p { "Linux's time divided by the system's: of a workload with its fewest workers, by rounds; of a row of the "
                "platform, the medians of boots of one round. A bar is the interval of the median; without one there are fewer "
                "than five rounds. Each line stands for itself: there is no figure for all of them." }
            p class="legend" { (legend::systems(&systems)) }
        },
        data: Some(table(&ratios)),
    })
}

fn of_subject(subject: &Subject<'_>) -> Vec<Ratio> {
    let results = subject.results;
    if !results.comparison.as_ref().is_some_and(|comparison| comparison.comparable) {
        return Vec::new();
    }
    let ratio = |what: String, system, of: &PairedRatio| Ratio {
        what,
        system,
        median: of.median,
        interval: of.interval,
        rounds: of.ratios.len(),
    };
    // The work divides out.
    let workload = WorkloadFigures::of(results, 1, "");
    let mut ratios: Vec<Ratio> = workload
        .systems
        .iter()
        .filter_map(|of| Some(ratio(workload.name.clone(), of.system, of.to_linux.as_ref()?)))
        .collect();
    let places = places(results);
    for ((place, system), over) in places.iter().filter(|((_, system), _)| *system != System::Linux) {
        let Some(linux) = places.get(&(*place, System::Linux)) else { continue };
        let paired = PairedRatio::of(&linux.medians(), &over.medians());
        let name = format!("{} {}", row_name(place), cpus(place));
        ratios.extend(paired.map(|of| ratio(name, *system, &of)));
    }
    ratios
}

fn table(ratios: &[Ratio]) -> Table {
    let mut table = empty(["what", "system", "times as fast", "interval", "rounds"], &[0, 1]);
    for of in ratios {
        table.rows.push(vec![
            of.what.clone(),
            of.system.to_string(),
            format!("{:.3}", of.median),
            of.interval.map_or("-".to_owned(), |of| format!("{:.3} to {:.3}", of.low, of.high)),
            of.rounds.to_string(),
        ]);
    }
    table
}
