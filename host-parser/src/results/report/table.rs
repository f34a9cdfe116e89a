//! The table of cases: its cells, and how they are laid out.

use super::Results;
use super::number::{grouped, percent};
use crate::stats::CaseStats;

/// What marks a case that shows function and not speed.
pub(super) const FUNCTIONAL_MARK: &str = "*";

const HEADER: [&str; 10] =
    ["workers", "n", "median", "min", "max", "stdev", "CV %", "median ms", "speed-up", "effic. %"];

/// A table of text; every column is aligned to the right.
pub(super) struct Table {
    header: Vec<String>,
    rows: Vec<Vec<String>>,
}

/// The table of the cases.
pub(super) fn cases(results: &Results) -> Table {
    Table {
        header: HEADER.map(str::to_owned).to_vec(),
        rows: results.cases.iter().map(|case| row(case).to_vec()).collect(),
    }
}

fn row(case: &CaseStats) -> [String; 10] {
    /// 2^20: the unit of the field's tables.
    const SCALE: f64 = (1_u64 << abi::worker::SCALE_SHIFT) as f64;
    let none = || "-".to_owned();
    let scaled = |cycles: f64| grouped(cycles / SCALE, 1);
    let functional = case.functional_only.is_some();
    // A number in brackets is not to be quoted.
    let quoted = |text: String| if functional { format!("({text})") } else { text };
    let cycles = &case.cycles;
    let millis = case.nanos.as_ref().map(|nanos| grouped(nanos.median / 1e6, 1));
    let speedup = case.speedup.as_ref();
    [
        if functional { format!("{}{FUNCTIONAL_MARK}", case.case) } else { case.case.to_string() },
        cycles.n.to_string(),
        scaled(cycles.median),
        scaled(cycles.min),
        scaled(cycles.max),
        cycles.stdev.map_or_else(none, scaled),
        cycles.cv.map_or_else(none, percent),
        millis.unwrap_or_else(none),
        speedup.map_or_else(none, |speedup| quoted(format!("{:.3}", speedup.median))),
        speedup.map_or_else(none, |speedup| quoted(percent(speedup.efficiency))),
    ]
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
            let cells = line.iter().zip(&widths).map(|(cell, &width)| format!("{cell:>width$}"));
            text.push_str(&cells.collect::<Vec<_>>().join("  "));
            text.push('\n');
        }
        text
    }

    /// For Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: &[String]| format!("| {} |\n", cells.join(" | ").replace('*', "\\*"));
        let rule = format!("|{}\n", "---:|".repeat(self.header.len()));
        let rows: String = self.rows.iter().map(|row| line(row)).collect();
        line(&self.header) + &rule + &rows
    }
}
