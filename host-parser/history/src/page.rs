//! The history of an experiment as a page for people: at most 80 columns.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use stats::Change;

use crate::series::{History, Line};

/// How many sessions a sparkline shows: the last ones.
const SHOWN: usize = 72;

/// The heights of a sparkline, the lowest first.
const HEIGHTS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The page.
#[must_use]
pub fn page(experiment: &str, histories: &[History]) -> String {
    let mut text = format!("{experiment}: {} series\n", histories.len());
    let (mut machine, mut shown) = ("", BTreeSet::new());
    for history in histories {
        if history.machine != machine {
            machine = &history.machine;
            shown.clear();
            let _ = writeln!(text, "\nMACHINE {machine}");
        }
        text += &series(experiment, history, &mut shown);
    }
    if histories.is_empty() {
        return text + "no session of it has a figure; `assay list` shows what came of each\n";
    }
    text + "\nmedians of sessions, oldest first; each line from its least to its greatest\n\
            ^ first session of another level, | of another epoch (updates of the machine)\n\
            rho: autocorrelation of ranks within levels. A change is a hint and no verdict:\n\
            with nothing changed, about one series of 60 sessions in ten has one, and more\n\
            if rho is above 0.2 (docs/HISTORY.md)\n"
}

/// A series. What is new in an epoch is shown once for each machine: `shown` has these epochs.
fn series<'h>(experiment: &str, history: &'h History, shown: &mut BTreeSet<&'h str>) -> String {
    let History { system, workers, metric, unit, lines, changes, .. } = history;
    let Some(last) = lines.last() else { return String::new() };
    let rho = changes.autocorrelation.map_or_else(|| "-".to_owned(), |rho| format!("{rho:.2}"));
    let digits = digits(unit);
    let interval =
        last.interval.map_or_else(String::new, |(low, high)| format!(" ({low:.digits$} to {high:.digits$})"));
    let mut text = format!(
        "\n{system}, {workers} workers, {metric}: last {:.digits$} {unit}{interval}\n  {} sessions, rho {rho}\n",
        last.median,
        lines.len()
    );
    let values: Vec<f64> = lines.iter().map(|line| line.median).collect();
    let first = values.len().saturating_sub(SHOWN);
    let (low, high) = ends(&values[first..]);
    let _ = writeln!(text, "  {}", sparkline(&values[first..]));
    let marks = marks(history, first);
    if !marks.is_empty() {
        let _ = writeln!(text, "  {marks}");
    }
    let _ = writeln!(text, "  least {low:.digits$}, greatest {high:.digits$} {unit}");
    for change in &changes.changes {
        text += &hint(experiment, history, change);
    }
    for (at, facts) in &history.epochs {
        let _ = writeln!(text, "  epoch {} from {}", lines[*at].epoch, place(&lines[*at]));
        for fact in facts.iter().filter(|_| !shown.contains(&*lines[*at].epoch)) {
            text += &wrapped(fact, "    ");
        }
        shown.insert(&lines[*at].epoch);
    }
    text
}

fn digits(unit: &str) -> usize {
    if unit == "x" { 3 } else { 1 }
}

/// What changed, and the command that would settle it.
fn hint(experiment: &str, history: &History, change: &Change) -> String {
    let (lines, digits) = (&history.lines, digits(&history.unit));
    let after = &lines[change.at];
    let percent = 100.0 * (change.after / change.before - 1.0);
    let mut text = format!(
        "  HINT: {percent:+.1} % from {}\n    {:.digits$} to {:.digits$} {}, found after {} sessions of it; {:.1} times its limit\n",
        place(after),
        change.before,
        change.after,
        history.unit,
        change.found + 1 - change.at,
        change.strength,
    );
    let manifest = if after.manifest.is_empty() { experiment } else { &after.manifest };
    let command = if let Some([before, after]) = nearest(lines, change.at, |line| &line.kernel) {
        text += &format!("    the kernel is another there: {before} before, {after} after\n");
        format!("assay ab {manifest} --kernel BEFORE --b-kernel AFTER")
    } else if nearest(lines, change.at, |line| &line.vmm).is_some() {
        text += "    the kernel is the same there, the VMM is another\n";
        format!("assay ab {manifest} --qemu BEFORE --b-qemu AFTER")
    } else {
        // Both sides of this one are the same: what it finds, the machine did.
        text += "    kernel and VMM are the same there: this shows what the machine alone does\n";
        format!("assay ab {manifest} --b-kernel target/kernel/assay-kernel")
    };
    let _ = writeln!(text, "    to settle it:");
    text + &wrapped(&command, "      ")
}

/// How far the first session of another level may be from where it is found: in nine of ten simulated steps of two standard
/// deviations, not further.
const NEAR: usize = 3;

/// What differs between two neighbouring sessions near the one at `at`, of the nearest such pair: before and after.
fn nearest<'l>(lines: &'l [Line], at: usize, of: impl Fn(&'l Line) -> &'l String) -> Option<[&'l String; 2]> {
    let near = at.saturating_sub(NEAR).max(1)..=(at + NEAR).min(lines.len() - 1);
    let differing = near.filter(|&second| of(&lines[second - 1]) != of(&lines[second]));
    let second = differing.min_by_key(|second| second.abs_diff(at))?;
    Some([of(&lines[second - 1]), of(&lines[second])])
}

fn place(line: &Line) -> String {
    let started = UNIX_EPOCH + Duration::from_millis(line.started_unix_ms.unsigned_abs());
    let day = humantime::format_rfc3339_seconds(started).to_string();
    format!("{} ({})", day.get(..10).unwrap_or(&day), line.folder)
}

/// A text in lines of at most 80 columns. A word that is longer has a line of its own.
fn wrapped(text: &str, indent: &str) -> String {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let last = lines.last_mut().expect("there is one");
        if last.is_empty() {
            last.push_str(word);
        } else if indent.len() + last.chars().count() + 1 + word.chars().count() <= 80 {
            last.push(' ');
            last.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines.iter().map(|line| format!("{indent}{line}\n")).collect()
}

fn ends(values: &[f64]) -> (f64, f64) {
    values
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| (low.min(value), high.max(value)))
}

/// A character for each value, from the least to the greatest; the middle one if they are alike.
fn sparkline(values: &[f64]) -> String {
    let (low, high) = ends(values);
    let height = |value: f64| {
        let part = (value - low) / (high - low);
        // Counted, not converted: values that are alike have no part.
        let steps = (1..HEIGHTS.len()).take_while(|&step| part * HEIGHTS.len() as f64 >= step as f64).count();
        if part.is_nan() { HEIGHTS[HEIGHTS.len() / 2] } else { HEIGHTS[steps] }
    };
    values.iter().map(|&value| height(value)).collect()
}

/// The marks below a sparkline that begins with the session `first`.
fn marks(history: &History, first: usize) -> String {
    let mut marks = vec![' '; history.lines.len() - first];
    let epochs = history.epochs.iter().map(|(at, _)| (*at, '|'));
    let changes = history.changes.changes.iter().map(|change| (change.at, '^'));
    for (at, mark) in epochs.chain(changes).filter(|&(at, _)| at >= first) {
        marks[at - first] = mark;
    }
    marks.into_iter().collect::<String>().trim_end().to_owned()
}

#[cfg(test)]
#[path = "page_tests.rs"]
mod tests;
