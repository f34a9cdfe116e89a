//! Tables, and lists of sentences.

use maud::{Markup, html};
use report::Table;

/// A table that a narrow screen can scroll. `name` is what it shows.
pub fn table(table: &Table, name: &str) -> Markup {
    html! {
        div class="scroll" tabindex="0" role="region" aria-label=(name) {
            table {
                thead { tr { @for (column, head) in table.header.iter().enumerate() {
                    th scope="col" class=[table.left.contains(&column).then_some("l")] { (head) }
                } } }
                tbody { @for row in &table.rows {
                    tr { @for (column, cell) in row.iter().enumerate() {
                        td class=[table.left.contains(&column).then_some("l")] { (cell) }
                    } }
                } }
            }
        }
    }
}

/// The data of a figure, folded.
pub fn data(of: &Table, name: &str) -> Markup {
    html! {
        details class="data" {
            summary { "Data: " (name) }
            (table(of, name))
        }
    }
}

/// Sentences.
pub fn list(lines: &[String]) -> Markup {
    html! { @if !lines.is_empty() { ul { @for line in lines { li { (sentence(line)) } } } } }
}

/// A sentence, in which what stands between backquotes is code.
pub fn sentence(text: &str) -> Markup {
    html! {
        @for (number, part) in text.split('`').enumerate() {
            @if number % 2 == 0 { (part) } @else { code { (part) } }
        }
    }
}

/// The table without these columns.
pub fn without(table: &Table, names: &[&str]) -> Table {
    let kept: Vec<usize> =
        (0..table.header.len()).filter(|&column| !names.contains(&table.header[column].as_str())).collect();
    let row = |cells: &Vec<String>| kept.iter().filter_map(|&column| cells.get(column).cloned()).collect();
    let left =
        kept.iter().enumerate().filter(|(_, column)| table.left.contains(column)).map(|(place, _)| place);
    Table { header: row(&table.header), rows: table.rows.iter().map(row).collect(), left: left.collect() }
}

/// A table without rows.
pub fn empty<const N: usize>(header: [&str; N], left: &[usize]) -> Table {
    Table { header: header.map(str::to_owned).to_vec(), rows: Vec::new(), left: left.to_vec() }
}
