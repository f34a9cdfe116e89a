//! The table of cases: its cells, and how tables are laid out.

use super::number::{grouped, percent};
use results::{CaseRow, Results};

/// What marks a case that shows function and not speed.
pub(super) const FUNCTIONAL_MARK: &str = "*";

const HEADER: [&str; 10] =
    ["workers", "n", "median", "min", "max", "stdev", "CV %", "median ms", "speed-up", "effic. %"];

/// The column of the standard deviation.
const STDEV: usize = 5;

/// A table of text; every column is aligned to the right, but for the first if that names a system.
pub(super) struct Table {
    pub header: Vec<String>,
    pub rows: Vec<Vec<String>>,
    pub named: bool,
}

/// The table of the cases; with a column for the system if there are several.
pub(super) fn cases(results: &Results) -> Table {
    let named = results.comparison.is_some();
    // With a system's name there is no room for both measures of the spread.
    let with = |system: &str, cells: &[String]| {
        let system = named.then(|| system.to_owned());
        let shown = cells.iter().enumerate().filter(|&(column, _)| !(named && column == STDEV));
        system.into_iter().chain(shown.map(|(_, cell)| cell.clone())).collect::<Vec<_>>()
    };
    Table {
        header: with("system", &HEADER.map(str::to_owned)),
        rows: results.cases.iter().map(|case| with(case.system.word(), &row(case))).collect(),
        named,
    }
}

fn row(row: &CaseRow) -> [String; 10] {
    /// 2^20: the unit of the field's tables.
    const SCALE: f64 = (1_u64 << abi::worker::SCALE_SHIFT) as f64;
    let none = || "-".to_owned();
    let scaled = |cycles: f64| grouped(cycles / SCALE, 1);
    let case = &row.stats;
    let functional = case.functional_only.is_some();
    let no_claim = functional || case.smt;
    let cycles = &case.cycles;
    let millis = case.nanos.as_ref().map(|nanos| grouped(nanos.median / 1e6, 1));
    let speedup = case.speedup.as_ref();
    [
        if case.smt { marked(&case.label, functional) } else { workers(case.case, functional) },
        cycles.n.to_string(),
        scaled(cycles.median),
        scaled(cycles.min),
        scaled(cycles.max),
        cycles.stdev.map_or_else(none, scaled),
        cycles.cv.map_or_else(none, percent),
        millis.unwrap_or_else(none),
        speedup.map_or_else(none, |speedup| quoted(no_claim, format!("{:.3}", speedup.median))),
        speedup.map_or_else(none, |speedup| quoted(no_claim, percent(speedup.efficiency))),
    ]
}

/// A case's name, marked if it shows function only.
pub(super) fn workers(case: u16, functional: bool) -> String {
    marked(&case.to_string(), functional)
}

fn marked(name: &str, functional: bool) -> String {
    if functional { format!("{name}{FUNCTIONAL_MARK}") } else { name.to_owned() }
}

/// A number in brackets is not to be quoted.
pub(super) fn quoted(functional: bool, text: String) -> String {
    if functional { format!("({text})") } else { text }
}

impl Table {
    fn lines(&self) -> impl Iterator<Item = &Vec<String>> {
        std::iter::once(&self.header).chain(&self.rows)
    }

    /// For a terminal: columns as wide as their widest cell, two spaces between.
    pub fn text(&self) -> String {
        let width = |column: usize| self.lines().map(|line| line[column].len()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.header.len()).map(width).collect();
        let mut text = String::new();
        for line in self.lines() {
            let cells = line.iter().zip(&widths).enumerate().map(|(column, (cell, &width))| {
                if self.named && column == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
            });
            text.push_str(&cells.collect::<Vec<_>>().join("  "));
            text.push('\n');
        }
        text
    }

    /// For Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace('*', "\\*"));
        let first = if self.named { "---|" } else { "---:|" };
        let rule = format!("|{first}{}\n", "---:|".repeat(self.header.len() - 1));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.header) + &rule + &rows
    }
}
