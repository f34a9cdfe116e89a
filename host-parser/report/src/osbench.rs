//! The benchmarks of other suites and the rows that measure their operations, for a terminal. Each line stands for itself: there
//! is no figure for a benchmark of several rows, none for a suite and none for all.

use abi::series::SeriesRow;
use evidence::gate::SeriesPlace;
use results::System;
use results::osbench::{BenchmarkFigures, PlaceFigures};

use crate::lines::wrapped;
use crate::platform::{argument, name, shown};
use crate::table::{Table, none};

/// All benchmarks with the figures of a session, at most 80 columns wide.
#[must_use]
pub fn osbench(all: &[BenchmarkFigures]) -> String {
    let mut systems: Vec<System> = Vec::new();
    for figure in all.iter().flat_map(|of| &of.figures).flat_map(|place| &place.systems) {
        if !systems.contains(&figure.system) {
            systems.push(figure.system);
        }
    }
    systems.sort();
    let mut text = MEANING.to_owned();
    for suite in all.chunk_by(|one, next| one.suite == next.suite) {
        text += &format!("\n{}\n", suite[0].suite);
        let mut lines = rows(suite, &systems).into_iter();
        for of in suite {
            for line in of_one(of, &mut lines) {
                text += &format!("{line}\n");
            }
        }
    }
    text
}

const MEANING: &str = "\
BENCHMARKS OF OTHER SUITES, BY THE ROWS THAT MEASURE THEIR OPERATIONS
Medians of one operation over the boots that count. A row measures what the
benchmark's operation costs, by our loop and our oracle; it is not that
benchmark, and its figures are not the benchmark's own. What does not exist here
is not_applicable. There is no figure for a suite.
";

/// A line for each figure of a suite, in its order.
fn rows(suite: &[BenchmarkFigures], systems: &[System]) -> Vec<String> {
    let header = ["row", "arg"].map(str::to_owned).into_iter().chain(systems.iter().map(System::to_string));
    let places = suite.iter().flat_map(|of| &of.figures);
    let table = Table {
        header: header.collect(),
        rows: places.map(|place| row(place, systems)).collect(),
        left: vec![0],
    };
    // The header is repeated for no benchmark: it stands once, in front of the first figure.
    let mut lines: Vec<String> = table.text().lines().map(|line| format!("    {line}")).collect();
    if lines.len() > 1 {
        let header = lines.remove(0);
        lines[0] = format!("{header}\n{}", lines[0]);
        lines
    } else {
        Vec::new()
    }
}

fn row(place: &PlaceFigures, systems: &[System]) -> Vec<String> {
    let at = SeriesPlace { row: place.row, arg: place.arg, cpu: 0, peer: None };
    let cell = |system: &System| {
        let figure = place.systems.iter().find(|figure| figure.system == *system);
        figure.map_or_else(none, |figure| shown(place.row, figure.median_ns))
    };
    [name(place.row), argument(at)].into_iter().chain(systems.iter().map(cell)).collect()
}

/// A benchmark: what it times, the lines of its figures, and the note.
fn of_one(of: &BenchmarkFigures, lines: &mut impl Iterator<Item = String>) -> Vec<String> {
    if of.rows.is_empty() {
        return wrapped(&format!("{}: {}. {}: {}.", of.name, of.times, of.state, of.note), "  ");
    }
    let mut all = wrapped(&format!("{}: {}", of.name, of.times), "  ");
    all.extend(lines.take(of.figures.len()));
    if of.figures.is_empty() {
        let rows: Vec<_> = of.rows.iter().map(|row: &SeriesRow| row.word()).collect();
        all.extend(wrapped(&format!("no figure of {} in this session", rows.join(", ")), "    "));
    }
    all.extend(wrapped(&format!("differs: {}", of.note), "    "));
    all
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use results::osbench::{Mapping, Suite, SystemFigure};
    use test_support::golden;

    use super::*;

    /// The list with a figure of each row on three systems.
    fn measured(is_measured: bool) -> Vec<BenchmarkFigures> {
        let systems = [System::Assay, System::Linux, System::LinuxMitigationsOff];
        let figure =
            |system| SystemFigure { system, boots: 5, median_ns: 999_999.4, min_ns: 9.0, max_ns: 1e7 };
        let all =
            Suite::ALL.into_iter().flat_map(|suite| suite.benchmarks().iter().map(move |of| (suite, of)));
        all.map(|(suite, of)| {
            let rows = of.mapping.rows();
            let place = |&row: &SeriesRow| {
                let arg = if let Mapping::Place(_, arg) = of.mapping { arg } else { 1 << 20 };
                PlaceFigures { row, arg, systems: systems.map(figure).to_vec() }
            };
            let figures = if is_measured { rows.iter().map(place).collect() } else { Vec::new() };
            let state = of.mapping.word();
            let (suite, name, times, note) = (suite.name(), of.name, of.times, of.note);
            BenchmarkFigures { suite, name, times, state, rows, note, figures }
        })
        .collect()
    }

    #[test]
    fn is_at_most_80_columns_wide() {
        for is_measured in [false, true] {
            let text = osbench(&measured(is_measured));
            assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
        }
    }

    #[test]
    fn each_benchmark_has_its_figures_or_says_why_it_has_none() {
        let text = osbench(&measured(true));
        for suite in Suite::ALL {
            assert_eq!(text.lines().filter(|line| *line == suite.name()).count(), 1);
            for of in suite.benchmarks() {
                assert!(text.contains(&format!("  {}: ", of.name)), "{}", of.name);
            }
        }
        let figures = text.lines().filter(|line| line.contains("1000.00us")).count();
        assert_eq!(
            figures,
            measured(true).iter().flat_map(|of| &of.rows).filter(|row| !is_bandwidth(**row)).count()
        );
        assert!(osbench(&measured(false)).contains("no figure of null_enter in this session"));
    }

    fn is_bandwidth(row: SeriesRow) -> bool {
        [SeriesRow::MemRead, SeriesRow::MemWrite, SeriesRow::MemCopy].contains(&row)
    }

    /// A line for each figure, and words that no line of figures may have.
    #[test]
    fn has_no_aggregate() {
        let text = osbench(&measured(true));
        for line in text.lines().filter(|line| line.starts_with("    ") && line.contains("us")) {
            for word in ["total", "mean", "score", "overall", "average", "sum", "index"] {
                assert!(!line.split_whitespace().any(|of| of == word), "{line}");
            }
        }
    }

    #[test]
    fn the_table_of_the_page_is_made_from_the_list() {
        let mut table = String::new();
        for suite in Suite::ALL {
            let _ = writeln!(
                table,
                "### {suite}\n\n| benchmark | times | row | difference, or why there is none |"
            );
            table += "|---|---|---|---|\n";
            for of in suite.benchmarks() {
                let rows: Vec<_> = of.mapping.rows().iter().map(|row| format!("`{row}`")).collect();
                let rows = match of.mapping {
                    Mapping::Place(_, 0) | Mapping::Rows(_) => rows.join(", "),
                    Mapping::Place(_, arg) => format!("{} {arg}", rows.join(", ")),
                    Mapping::NotApplicable => "`not_applicable`".to_owned(),
                };
                let _ = writeln!(table, "| {} | {} | {rows} | {} |", of.name, of.times, of.note);
            }
            table += "\n";
        }
        golden::check_part(&golden::document("OSBENCH.md"), "suites", table.trim_end());
    }
}
