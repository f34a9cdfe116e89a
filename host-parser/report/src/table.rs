//! Tables as text: how their cells are laid out.

use comfy_table::{CellAlignment, ContentArrangement, presets::NOTHING};

/// What marks a case that shows function and not speed.
pub(super) const FUNCTIONAL_MARK: &str = "*";

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

/// What a cell without a value shows.
pub(super) fn none() -> String {
    "-".to_owned()
}

/// A case's name, marked if it shows function only.
pub(super) fn workers(case: u16, functional: bool) -> String {
    marked(&case.to_string(), functional)
}

/// A name, marked if it is of a case that shows function only.
pub(super) fn marked(name: &str, functional: bool) -> String {
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

    /// For a terminal that is too narrow for the first column: what it names stands in a line above its rows.
    pub(super) fn text_by_group(&self) -> String {
        let left = self.left.iter().filter_map(|column| column.checked_sub(1)).collect();
        let rows = self.rows.iter().map(|row| row[1..].to_vec()).collect();
        let text = Self { header: self.header[1..].to_vec(), rows, left }.text();
        let mut lines = text.lines();
        let mut grouped = lines.next().map(|header| format!("{header}\n")).unwrap_or_default();
        let mut group = None;
        for (row, line) in self.rows.iter().zip(lines) {
            if group != Some(&row[0]) {
                group = Some(&row[0]);
                grouped += &format!("{}\n", row[0]);
            }
            grouped += &format!("{line}\n");
        }
        grouped
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
