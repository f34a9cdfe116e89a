//! The table of cases: its cells, and how tables are laid out.

use comfy_table::{CellAlignment, ContentArrangement, presets::NOTHING};

use super::number::{grouped, percent};
use results::{CaseRow, Results};

/// What marks a case that shows function and not speed.
pub(super) const FUNCTIONAL_MARK: &str = "*";

const HEADER: [&str; 10] =
    ["workers", "n", "median", "min", "max", "stdev", "CV %", "median ms", "speed-up", "effic. %"];

/// The column of the standard deviation.
const STDEV: usize = 5;

/// A table of text. Columns are aligned to the right, except those listed in `left`.
#[derive(Clone, Debug)]
pub struct Table {
    /// The columns' names.
    pub header: Vec<String>,
    /// The rows, each with as many cells as the header.
    pub rows: Vec<Vec<String>>,
    /// The columns that are aligned to the left, from 0.
    pub left: Vec<usize>,
}

/// The table of the cases. It has a column for the system if there are several.
pub(super) fn cases(results: &Results) -> Table {
    let header = HEADER.map(str::to_owned);
    if results.comparison.is_none() {
        let rows = results.cases.iter().map(|case| row(case).to_vec()).collect();
        return Table { header: header.to_vec(), rows, left: Vec::new() };
    }
    let rows = results.cases.iter().map(|case| with_system(case.system.word(), row(case))).collect();
    Table { header: with_system("system", header), rows, left: vec![0] }
}

/// A row that begins with the system. There is no room for both measures of the spread then.
fn with_system(system: &str, cells: [String; 10]) -> Vec<String> {
    let mut cells = cells.to_vec();
    cells.remove(STDEV);
    cells.insert(0, system.to_owned());
    cells
}

/// What a cell without a value shows.
pub(super) fn none() -> String {
    "-".to_owned()
}

/// Cycles in the unit of the tables: 2^20 of them.
fn scaled(cycles: f64) -> String {
    const SCALE: f64 = (1_u64 << abi::worker::SCALE_SHIFT) as f64;
    grouped(cycles / SCALE, 1)
}

fn row(row: &CaseRow) -> [String; 10] {
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

/// A number in brackets is no result: it must not be cited.
pub(super) fn quoted(functional: bool, text: String) -> String {
    if functional { format!("({text})") } else { text }
}

impl Table {
    /// For a terminal: each column as wide as its widest cell, two spaces between columns, no trailing space.
    #[must_use]
    pub fn text(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(&self.header).add_rows(&self.rows);
        for (number, column) in table.column_iter_mut().enumerate() {
            column.set_padding(if number == 0 { (0, 0) } else { (2, 0) });
            column.set_cell_alignment(if self.left.contains(&number) {
                CellAlignment::Left
            } else {
                CellAlignment::Right
            });
        }
        table.trim_fmt() + "\n"
    }

    /// For Markdown. By hand: the crate's Markdown style has no alignment of columns.
    pub(super) fn markdown(&self) -> String {
        let rules =
            (0..self.header.len()).map(|column| if self.left.contains(&column) { "---|" } else { "---:|" });
        let rule = format!("|{}\n", rules.collect::<String>());
        let rows: String = self.rows.iter().map(|row| markdown_line(row)).collect();
        markdown_line(&self.header) + &rule + &rows
    }
}

fn markdown_line(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | ").replace('*', "\\*"))
}
