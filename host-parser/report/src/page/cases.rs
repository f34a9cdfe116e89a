//! The table of a page: each case's time, rate and speed-up, with a bar that shows how near to the ideal it is.

use std::collections::BTreeSet;

use super::stored::{Case, Experienced, Stored};
use crate::number::{grouped, percent};
use crate::table::{Table, marked, none, quoted};

/// The length of a bar at the ideal speed-up.
const IDEAL: usize = 10;
/// The longest bar: what is beyond the ideal shows.
const LONGEST: usize = IDEAL + 2;

/// The table, and one line that says how to read it.
pub(super) fn lines(stored: &Stored) -> Vec<String> {
    if stored.experienced.is_empty() && stored.cases.is_empty() {
        return vec!["no run has a time: there is nothing to show".to_owned()];
    }
    let millis = stored.cases.iter().all(|of| of.nanos.is_some())
        && stored.experienced.iter().all(|of| of.nanos.is_some());
    let mut header = vec!["workers".to_owned(), if millis { "ms" } else { "Mcycles" }.to_owned()];
    let weak = stored.experiment.is_weak();
    let ratio = if weak { "efficiency" } else { "speed-up" };
    header.extend([ratio, "experienced", "used %", "% of the ideal"].map(str::to_owned));
    let bar = header.len() - 1;
    let several = stored.systems().len() > 1;
    let cases: BTreeSet<u16> = stored.names().into_iter().map(|(_, case)| case).collect();
    let alone = cases.len() < 2;
    let mut table = Table { header, rows: Vec::new(), left: vec![bar] };
    for (system, case) in stored.names() {
        let row = Row {
            undisturbed: stored.cases.iter().find(|of| (of.system, of.case) == (system, case)),
            experienced: stored.experienced.iter().find(|of| (of.system, of.case) == (system, case)),
            case,
            weak,
        };
        let mut cells = row.cells(alone);
        if several {
            cells.insert(0, system.to_string());
        }
        table.rows.push(cells);
    }
    if several {
        table.header.insert(0, "system".to_owned());
        table.left = vec![0, bar + 1];
    }
    let text = if several { table.text_by_group() } else { table.text() };
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.extend(notes(stored).iter().flat_map(|note| crate::lines::wrapped(note, "")));
    lines
}

/// How to read the table.
fn notes(stored: &Stored) -> Vec<String> {
    let mut note = if stored.experiment.is_weak() {
        "weak scaling: every worker does the whole; medians, undisturbed; efficiency: the time of 1 worker divided by \
         that of n; experienced: efficiency with nothing left out; the bar ends at the ideal"
            .to_owned()
    } else {
        "medians, undisturbed; experienced: speed-up with nothing left out; the bar ends at the ideal"
            .to_owned()
    };
    if stored.cases.iter().any(|of| of.functional_only.is_some()) {
        note += "; *: more vCPUs than host CPUs, shows function and not speed";
    }
    vec![note]
}

/// A case of a system.
struct Row<'a> {
    undisturbed: Option<&'a Case>,
    experienced: Option<&'a Experienced>,
    case: u16,
    /// Whether each worker does the whole.
    weak: bool,
}

impl Row<'_> {
    /// The cells; of a case that is `alone` none for a speed-up, which is a ratio to another case.
    fn cells(&self, alone: bool) -> Vec<String> {
        let undisturbed = self.undisturbed.and_then(|of| of.speedup.as_ref()).filter(|_| !alone);
        let experienced = self.experienced.and_then(|of| of.speedup.as_ref()).filter(|_| !alone);
        let mut cells = vec![self.name(), self.time()];
        for speedup in [undisturbed, experienced] {
            cells.push(speedup.map_or_else(none, |of| self.quoted(format!("{:.3}", of.median))));
        }
        cells.push(self.experienced.map_or_else(none, Experienced::used));
        cells.push(
            undisturbed
                .or(experienced)
                .map_or_else(none, |of| of_ideal(self.part_of_ideal(of.against, of.median))),
        );
        cells
    }

    /// A ratio of times as a part of the ideal one.
    fn part_of_ideal(&self, against: u16, ratio: f64) -> f64 {
        if self.weak { ratio } else { ratio * f64::from(against) / f64::from(self.case) }
    }

    fn name(&self) -> String {
        match self.undisturbed {
            Some(of) if of.smt => marked(&of.label, self.is_functional()),
            _ => marked(&self.case.to_string(), self.is_functional()),
        }
    }

    fn is_functional(&self) -> bool {
        self.undisturbed.is_some_and(|of| of.functional_only.is_some())
    }

    /// A figure in brackets must not be cited.
    fn quoted(&self, text: String) -> String {
        quoted(self.is_functional() || self.undisturbed.is_some_and(|of| of.smt), text)
    }

    fn nanos(&self) -> Option<f64> {
        let undisturbed = self.undisturbed.and_then(|of| of.nanos);
        undisturbed.or_else(|| self.experienced.and_then(|of| of.nanos)).map(|of| of.median)
    }

    fn time(&self) -> String {
        if let Some(nanos) = self.nanos() {
            return grouped(nanos / 1e6, 1);
        }
        let cycles = self.undisturbed.map(|of| of.cycles).or_else(|| self.experienced.map(|of| of.cycles));
        cycles.map_or_else(none, |of| grouped(of.median / 1e6, 1))
    }
}

impl Experienced {
    /// The share of the iterations that count.
    fn used(&self) -> String {
        if self.iterations == 0 {
            none()
        } else {
            percent(self.iterations_counted as f64 / self.iterations as f64)
        }
    }
}

/// A part of the ideal, in percent and as a bar in which the ideal is marked. Only what reaches the ideal fills it.
fn of_ideal(part: f64) -> String {
    format!("{:>5} {}", percent(part), bar(part))
}

fn bar(part: f64) -> String {
    // Counted, not converted: a part that is no number has no mark.
    let filled = (1..=LONGEST).take_while(|&marks| part * IDEAL as f64 >= marks as f64).count();
    let mut bar: String = "#".repeat(filled);
    if filled < IDEAL {
        bar += &".".repeat(IDEAL - filled);
        bar.push('|');
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_ends_at_the_ideal() {
        assert_eq!(bar(1.0), "#".repeat(IDEAL));
        assert_eq!(bar(0.5), format!("{}{}|", "#".repeat(IDEAL / 2), ".".repeat(IDEAL / 2)));
        assert_eq!(bar(0.999).matches('#').count(), IDEAL - 1, "nearly is not there");
        assert_eq!(bar(0.0), format!("{}|", ".".repeat(IDEAL)));
        assert_eq!(bar(9.0).len(), LONGEST, "superlinear shows, and stays on the page");
        assert_eq!(bar(f64::NAN), bar(0.0));
    }
}
