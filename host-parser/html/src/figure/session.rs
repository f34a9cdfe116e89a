//! The session on the host's clock: its runs, and what the host did meanwhile.

use std::collections::BTreeMap;

use maud::{Markup, html};
use report::Table;
use results::{Results, RunRecord, System};

use super::Figure;
use super::legend::style_of;
use crate::svg::{Frame, Path, Plot, Scale, WIDTH, drawing, number};
use crate::table::empty;

/// How high a lane of runs is.
const LANE: f64 = 14.0;

/// The figure; `None` if it is not known when the runs were made.
pub fn session(results: &Results) -> Option<Figure> {
    let spans: Vec<(&RunRecord, f64, f64)> = spans(results)?;
    let end = spans.iter().map(|(_, _, end)| *end).fold(0.0, f64::max);
    let systems: Vec<System> = {
        let mut all: Vec<System> = spans.iter().map(|(run, _, _)| run.system).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let lanes = LANE * systems.len() as f64;
    let losses: Vec<(f64, Loss)> = losses(results, &spans);
    let mut frame = Frame::of_height(120.0);
    frame.top += lanes + 10.0;
    frame.bottom += lanes + 10.0;
    let seconds = end < 300.0;
    let unit = if seconds { 1.0 } else { 60.0 };
    let plot = Plot {
        frame,
        x: Scale::Linear { low: 0.0, high: (end / unit).max(1e-3) },
        y: Scale::from_zero(losses.iter().map(|(_, loss)| loss.percent).chain([5.0])),
    };
    let name = if seconds { "seconds since the first run" } else { "minutes since the first run" };
    let content = html! {
        (plot.axes(&plot.x.labelled(8), &plot.y.labelled(5), [name, "taken by the host, %"]))
        @for (lane, &system) in systems.iter().enumerate() { (runs(&plot, &spans, system, lane, unit)) }
        @for (kind, path) in paths(&plot, &losses, unit) { path class=(format!("loss {kind}")) d=(path.text()) {} }
    };
    let worst = losses.iter().map(|(_, loss)| loss.percent).fold(0.0, f64::max);
    let excluded = spans.iter().filter(|(run, _, _)| !counts(run)).count();
    let description = format!(
        "{} runs in {end:.0} seconds, of which {excluded} do not count. The host took at most {worst:.1} percent.",
        spans.len()
    );
    Some(Figure {
        name: "Session".to_owned(),
        drawing: drawing(frame.drawing_height(), &description, &content),
        caption: html! {
            p { "Above: each run from its start to its end, a lane for each system; hollow if it does not count. Below, for "
                "each run: how long its vCPUs waited for a host CPU (dots), what the hypervisor under the host took (squares); "
                "between the rounds: how much longer the native probe took than at best (crosses)." }
        },
        data: Some(table(results, &spans)),
    })
}

/// What the host took.
struct Loss {
    kind: &'static str,
    percent: f64,
}

fn counts(run: &RunRecord) -> bool {
    run.excluded.is_none() && run.verdict.outcome.measurement().is_some()
}

/// Each run with its start and end, in seconds since the first start.
fn spans(results: &Results) -> Option<Vec<(&RunRecord, f64, f64)>> {
    let first = results.runs.iter().filter_map(|run| run.made.started_unix_ms).min()?;
    let mut spans = Vec::new();
    for run in &results.runs {
        let Some(started) = run.made.started_unix_ms else { continue };
        let start = started.saturating_sub(first) as f64 / 1e3;
        spans.push((run, start, start + run.made.wall_ms.unwrap_or(0) as f64 / 1e3));
    }
    Some(spans)
}

/// What the host took, each at its time in seconds.
fn losses(results: &Results, spans: &[(&RunRecord, f64, f64)]) -> Vec<(f64, Loss)> {
    let mut all = Vec::new();
    for (run, start, end) in spans {
        let middle = f64::midpoint(*start, *end);
        all.extend(waited(run).map(|percent| (middle, Loss { kind: "waited", percent })));
        all.extend(stolen(run).map(|percent| (middle, Loss { kind: "stolen", percent })));
    }
    let first = results.runs.iter().filter_map(|run| run.made.started_unix_ms).min().unwrap_or(0);
    let probes = &results.probes.made;
    let best =
        |of: fn(&evidence::ledger::Probe) -> u64| probes.iter().map(of).min().unwrap_or(1).max(1) as f64;
    let (one, every) = (best(|probe| probe.one_ns), best(|probe| probe.all_ns));
    for probe in probes {
        let slower = (probe.one_ns as f64 / one).max(probe.all_ns as f64 / every) - 1.0;
        // The first probe is made before the first run.
        let at = (probe.started_unix_ms.saturating_sub(first) as f64 / 1e3).max(0.0);
        all.push((at, Loss { kind: "probe", percent: slower * 100.0 }));
    }
    all
}

/// The part of the time that a run's vCPUs waited for a host CPU, in percent.
pub(super) fn waited(run: &RunRecord) -> Option<f64> {
    let delays = &run.made.evidence.delays;
    let sum =
        |of: fn(&evidence::gate::VcpuDelay) -> u64| delays.iter().map(of).fold(0, u64::saturating_add) as f64;
    (!delays.is_empty()).then(|| 100.0 * sum(|of| of.delay_ns) / sum(|of| of.wall_ns).max(1.0))
}

/// The part that the hypervisor under the host took from the CPU that lost most, in percent.
pub(super) fn stolen(run: &RunRecord) -> Option<f64> {
    let steal = run.made.evidence.host_steal?;
    Some(100.0 * steal.stolen_ms as f64 / steal.wall_ms.max(1) as f64)
}

/// The lane of a system.
fn runs(plot: &Plot, spans: &[(&RunRecord, f64, f64)], system: System, lane: usize, unit: f64) -> Markup {
    let (mut counted, mut hollow) = (Path::default(), BTreeMap::<&str, Path>::new());
    let top = 14.0 + LANE * lane as f64;
    for (run, start, end) in spans.iter().filter(|(run, _, _)| run.system == system) {
        let (left, right) = (plot.at_x(start / unit), plot.at_x(end / unit));
        let width = (right - left - 0.4).max(0.8);
        if counts(run) {
            counted.rectangle(left, top, width, LANE - 4.0);
        } else {
            hollow.entry(why(run)).or_default().rectangle(
                left + 0.5,
                top + 0.5,
                (width - 1.0).max(0.5),
                LANE - 5.0,
            );
        }
    }
    let style = style_of(system);
    html! {
        path class=(format!("fill s{style}")) d=(counted.text()) {}
        @for (reason, path) in &hollow { path class=(format!("hollow s{style}")) d=(path.text()) { title { (reason) } } }
        text class="tick long" x=(number(plot.frame.left - 7.0)) y=(number(top + LANE - 5.0)) text-anchor="end" { (short_name(system)) }
    }
}

/// A name that fits beside a lane.
fn short_name(system: System) -> &'static str {
    match system {
        System::LinuxMitigationsOff => "lx-off",
        System::LinuxTuned => "lx-tuned",
        System::AssayBios => "as-bios",
        other => other.word(),
    }
}

/// Why a run does not count.
pub(super) fn why(run: &RunRecord) -> &'static str {
    let excluded = run.excluded.as_deref().map(|exclusion| exclusion.reason.code());
    excluded.or_else(|| Some(run.verdict.outcome.refusal()?.0.code())).unwrap_or("-")
}

/// The marks of each kind: dots, squares, crosses.
fn paths(plot: &Plot, losses: &[(f64, Loss)], unit: f64) -> Vec<(&'static str, Path)> {
    let mut paths = BTreeMap::<&'static str, Path>::new();
    for (at, loss) in losses {
        let (x, y) = (plot.at_x(at / unit).clamp(plot.frame.left, WIDTH), plot.at_y(loss.percent));
        let path = paths.entry(loss.kind).or_default();
        match loss.kind {
            "waited" => path.dot(x, y),
            "stolen" => path.rectangle(x - 2.2, y - 2.2, 4.4, 4.4),
            _ => {
                path.line((x - 3.0, y - 3.0), (x + 3.0, y + 3.0));
                path.line((x - 3.0, y + 3.0), (x + 3.0, y - 3.0));
            }
        }
    }
    paths.into_iter().collect()
}

/// One row for each run.
fn table(results: &Results, spans: &[(&RunRecord, f64, f64)]) -> Table {
    /// The most runs that the table lists.
    const LISTED: usize = 3_000;
    let mut table = empty(
        ["run", "round", "system", "case", "start s", "took ms", "waited %", "stolen %", "outcome"],
        &[2, 8],
    );
    let percent = |of: Option<f64>| of.map_or("-".to_owned(), |of| format!("{of:.2}"));
    for (run, start, end) in spans.iter().take(LISTED) {
        table.rows.push(vec![
            run.run.to_string(),
            (run.round + 1).to_string(),
            run.system.to_string(),
            run.case.map_or("-".to_owned(), |case| case.to_string()),
            format!("{start:.1}"),
            format!("{:.0}", (end - start) * 1e3),
            percent(waited(run)),
            percent(stolen(run)),
            if counts(run) { "counts".to_owned() } else { why(run).to_owned() },
        ]);
    }
    if results.runs.len() > LISTED {
        let mut row = vec![String::new(); 9];
        row[0] = "...".to_owned();
        row[8] = format!("{} more in results.json", results.runs.len() - LISTED);
        table.rows.push(row);
    }
    table
}
