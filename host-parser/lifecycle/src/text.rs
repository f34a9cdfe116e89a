//! The results on a terminal, at most 80 columns wide.

use std::fmt::Write as _;

use experiment::manifest::LifeRow;
use report::Table;

use crate::compare::Paired;
use crate::outcome::{Compared, Conclusion, GateVerdict, LifeResults, Row};
use crate::subject::Subject;

/// The page of a session.
#[must_use]
pub fn page(results: &LifeResults) -> String {
    let mut text = format!("{}\n{}\n", headline(results), conditions(results));
    for machine in machines(results) {
        let rows: Vec<&Row> = results.rows.iter().filter(|row| row.key.machine == machine).collect();
        let _ = write!(text, "\n{machine}, in ms\n{}", rows_of(&rows).text());
    }
    if !results.compared.is_empty() {
        let _ = write!(
            text,
            "\nassay beside the VMM's own start (ms more) and Linux (times), by round\n{}",
            compared(&results.compared).text()
        );
    }
    if !results.bursts.is_empty() {
        let _ = write!(text, "\nstarted at once, in ms\n{}", bursts(results).text());
    }
    if !results.gates.is_empty() {
        let _ = write!(text, "\ngates\n{}", gates(results).text());
    }
    let (more, shown) =
        (results.failures.len().saturating_sub(MOST_SHOWN), results.failures.iter().take(MOST_SHOWN));
    for failure in shown {
        let reason = failure.reason.as_ref().map_or_else(String::new, |reason| format!("{reason}: "));
        let _ = write!(
            text,
            "\ncycle {} (round {}, {} on {}) does not count:\n  {reason}{}\n",
            failure.cycle,
            failure.round + 1,
            failure.subject,
            failure.machine,
            failure.detail
        );
    }
    if more > 0 {
        let _ = writeln!(text, "and {more} more cycles that do not count (lifecycle.json)");
    }
    for left_out in &results.left_out {
        let _ = writeln!(text, "left out: {left_out}");
    }
    text
}

/// The failures that are printed.
const MOST_SHOWN: usize = 10;

/// The verdict in a line.
#[must_use]
pub(crate) fn headline(results: &LifeResults) -> String {
    let (cycles, failed) = (results.cycles, results.failures.len());
    match results.conclusion {
        Conclusion::Passed => format!("PASSED: {cycles} machines lived and left nothing behind"),
        Conclusion::Failed => format!("FAILED: {failed} of {cycles} machines do not count"),
        Conclusion::Incomplete => {
            format!("INCOMPLETE: {}", results.incomplete.as_deref().unwrap_or("not all machines lived"))
        }
        Conclusion::GateExceeded => {
            let exceeded = results.gates.iter().filter(|gate| gate.verdict == GateVerdict::Exceeded);
            let names: Vec<_> = exceeded.map(|gate| format!("{} on {}", gate.name, gate.machine)).collect();
            format!("GATE EXCEEDED: {}", names.join("; "))
        }
        Conclusion::Undecided => "UNDECIDED: a gate has too few cycles (30 are needed)".to_owned(),
    }
}

/// Under what the machines lived.
pub(crate) fn conditions(results: &LifeResults) -> String {
    let environment = &results.environment;
    let vmm = environment.vmm_version().unwrap_or("an unknown VMM");
    let (name, emulated) =
        environment.accelerator.as_ref().map_or(("?", false), |of| (of.name.as_str(), of.emulated));
    let what = if emulated { " (emulated: no time of it is a time of hardware)" } else { "" };
    format!("{} rounds, {name}{what}\n{vmm}\nhost clock: CLOCK_MONOTONIC", results.rounds)
}

/// The machines, in the order of their names.
pub(crate) fn machines(results: &LifeResults) -> Vec<&str> {
    let mut machines: Vec<&str> = results.rows.iter().map(|row| row.key.machine.as_str()).collect();
    machines.dedup();
    machines
}

/// The table of a machine's rows: of an empty machine, the steps that it has.
pub(crate) fn rows_of(rows: &[&Row]) -> Table {
    let header = ["lives on it", "step", "cycles", "min", "median", "p95", "p99", "max"];
    let of_step = |row: &&&Row| {
        let is_empty = row.key.subject == Subject::Empty;
        !is_empty || matches!(row.key.row, LifeRow::Provision | LifeRow::Delete | LifeRow::Cycle)
    };
    let lines = rows.iter().filter(of_step).map(|row| {
        let figures = row.figures;
        let times =
            [figures.min_us, figures.median_us, figures.p95_us, figures.p99_us, figures.max_us].map(ms);
        let names = [row.key.subject.to_string(), row.key.row.to_string(), figures.cycles.to_string()];
        names.into_iter().chain(times).collect()
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: lines.collect(), left: vec![0, 1] }
}

/// Our kernel beside others.
pub(crate) fn compared(compared: &[Compared]) -> Table {
    let header = ["machine", "step", "over VMM", "95 %", "of Linux", "95 %"];
    let lines = compared.iter().map(|of| {
        let over = of.over_empty_us.as_ref();
        let share = of.of_linux.as_ref();
        vec![
            of.machine.clone(),
            of.row.to_string(),
            over.map_or_else(none, |over| format!("{:.1}", over.median / 1e3)),
            over.map_or_else(none, |over| interval(over, 1e3, 1)),
            share.map_or_else(none, |share| format!("{:.3}", share.median)),
            share.map_or_else(none, |share| interval(share, 1.0, 3)),
        ]
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: lines.collect(), left: vec![0, 1] }
}

fn interval(paired: &Paired, unit: f64, decimals: usize) -> String {
    paired.interval.map_or_else(none, |[low, high]| {
        let (low, high) = (low / unit, high / unit);
        format!("{low:.decimals$}-{high:.decimals$}")
    })
}

/// Machines that are started at once.
pub(crate) fn bursts(results: &LifeResults) -> Table {
    let header = ["at once", "bursts", "per s", "all ready", "each: median", "p95", "p99", "max"];
    let lines = results.bursts.iter().map(|burst| {
        let counts = [burst.at_once.to_string(), burst.all_ready.cycles.to_string()];
        let all = [format!("{:.2}", burst.per_second), ms(burst.all_ready.median_us)];
        let each =
            [burst.ready.median_us, burst.ready.p95_us, burst.ready.p99_us, burst.ready.max_us].map(ms);
        counts.into_iter().chain(all).chain(each).collect()
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: lines.collect(), left: Vec::new() }
}

/// The gates.
pub(crate) fn gates(results: &LifeResults) -> Table {
    let header = ["gate", "machine", "took, ms", "cycles", ""];
    let lines = results.gates.iter().map(|gate| {
        let verdict = match gate.verdict {
            GateVerdict::Holds => "holds",
            GateVerdict::Exceeded => "EXCEEDED",
            GateVerdict::Undecided => "undecided",
        };
        let took = gate.took_us.map_or_else(none, ms);
        vec![gate.name.clone(), gate.machine.clone(), took, gate.cycles.to_string(), verdict.to_owned()]
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: lines.collect(), left: vec![0, 1, 4] }
}

/// Microseconds as milliseconds with one decimal.
fn ms(us: u64) -> String {
    format!("{}.{}", us / 1000, us % 1000 / 100)
}

fn none() -> String {
    "-".to_owned()
}
