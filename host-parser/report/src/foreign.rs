//! Foreign figures beside ours: another tool's, as it printed them, with our row about the same quantity. No rule judges
//! them, and no verdict depends on them.

use abi::series::SeriesRow;
use evidence::gate::Measurement;
use foreign::{Beside, Figure, Figures, Unit};
use results::{Results, System};

use super::lines::wrapped;
use super::table::{Table, none};

/// A foreign figure, and ours of the same quantity.
#[derive(Clone, Copy, Debug)]
pub struct BesideOurs<'f> {
    /// The foreign figure.
    pub foreign: &'f Figure,
    /// The median over boots of the medians of our row, in the foreign unit, if there is such a row and it has a figure.
    pub ours: Option<f64>,
}

impl BesideOurs<'_> {
    /// Our row's name, and its argument.
    #[must_use]
    pub fn row(&self) -> Option<String> {
        self.foreign.beside.map(|Beside { row, arg, .. }| match arg {
            0 => row.to_string(),
            arg => format!("{row} {arg} us"),
        })
    }

    /// Ours divided by the foreign figure.
    #[must_use]
    pub fn ratio(&self) -> Option<f64> {
        Some(self.ours? / self.foreign.value.filter(|&value| value > 0.0)?)
    }
}

/// Every foreign figure, in the tool's order, beside ours.
#[must_use]
pub fn beside_ours<'f>(results: &Results, figures: &'f Figures) -> Vec<BesideOurs<'f>> {
    let ours = |of: &Figure| of.beside.and_then(|beside| median_of_ours(results, beside, of.unit));
    figures.all.iter().map(|foreign| BesideOurs { foreign, ours: ours(foreign) }).collect()
}

/// Foreign figures beside those of our kernel, for a terminal: lines of at most 80 columns.
#[must_use]
pub fn foreign(results: &Results, figures: &Figures) -> String {
    if figures.tool.has_rows_of_ours() { with_ours(results, figures) } else { foreign_alone(figures) }
}

fn with_ours(results: &Results, figures: &Figures) -> String {
    let mut lines = title(figures);
    lines.extend(table(&beside_ours(results, figures)).text().lines().map(str::to_owned));
    let kinds = format!(
        "foreign: {}. ours: the median over boots of each boot's median, in the same unit, if the row has a figure",
        figures.tool.kind()
    );
    lines.extend(wrapped(&kinds, ""));
    for figure in &figures.all {
        if let Some(beside) = figure.beside.filter(|beside| !beside.differs.is_empty()) {
            lines.extend(wrapped(&format!("{}: {}", figure.name, beside.differs), "  "));
        }
    }
    lines.join("\n") + "\n"
}

/// Foreign figures by themselves, for a terminal: lines of at most 80 columns.
#[must_use]
pub fn foreign_alone(figures: &Figures) -> String {
    let mut lines = title(figures);
    lines.extend(by_itself(figures).text().lines().map(str::to_owned));
    lines.extend(wrapped(&format!("foreign: {}", figures.tool.kind()), ""));
    for figure in &figures.all {
        if figure.name.chars().count() > NAME {
            lines.extend(wrapped(&format!("{}...: {}", shortened(&figure.name), figure.name), "  "));
        }
    }
    lines.join("\n") + "\n"
}

fn title(figures: &Figures) -> Vec<String> {
    let tool = figures.tool.word();
    let title = format!("FOREIGN, {tool} ({}): not judged, no verdict depends on it", figures.path.display());
    let mut lines = vec![String::new()];
    lines.extend(wrapped(&title, ""));
    lines
}

/// The longest name that a table of foreign figures shows whole.
const NAME: usize = 32;

fn shortened(name: &str) -> String {
    name.chars().take(NAME - 3).collect()
}

/// Figures that no row of ours is about.
fn by_itself(figures: &Figures) -> Table {
    let header = ["foreign", "figure", "unit", "samples", "note"];
    let rows = figures.all.iter().map(|figure| {
        let long = figure.name.chars().count() > NAME;
        let name = if long { format!("{}...", shortened(&figure.name)) } else { figure.name.clone() };
        let value = figure.value.map_or_else(|| "skipped".to_owned(), |value| format!("{value:.4}"));
        let note = figure.note.chars().take(18).collect();
        vec![name, value, figure.unit.word().to_owned(), figure.samples.to_string(), note]
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), left: vec![0, 2, 4] }
}

fn table(rows: &[BesideOurs<'_>]) -> Table {
    let unit = rows.first().map_or(Unit::Ticks, |of| of.foreign.unit);
    let header = ["foreign", unit.word(), "our row", unit.word(), "ours/foreign"];
    let rows = rows.iter().map(|of| {
        vec![
            of.foreign.name.clone(),
            of.foreign.value.map_or_else(|| "skipped".to_owned(), |ticks| format!("{ticks:.0}")),
            of.row().unwrap_or_else(none),
            of.ours.map_or_else(none, |ticks| format!("{ticks:.0}")),
            of.ratio().map_or_else(none, |ratio| format!("{ratio:.2}")),
        ]
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), left: vec![0, 2] }
}

/// The median over boots of the row's medians, in ns or in ticks of the boot's TSC. Of several places of the row the first.
fn median_of_ours(results: &Results, beside: Beside, unit: Unit) -> Option<f64> {
    let counted = results.runs.iter().filter(|run| run.excluded.is_none() && run.system == System::Assay);
    let boots = counted.filter_map(|run| run.verdict.outcome.measurement());
    let mut ticks: Vec<f64> = boots.filter_map(|boot| of_boot(boot, beside.row, beside.arg, unit)).collect();
    ticks.sort_by(f64::total_cmp);
    let last = ticks.len().checked_sub(1)?;
    Some(f64::midpoint(ticks[last / 2], ticks[ticks.len() / 2]))
}

fn of_boot(boot: &Measurement, row: SeriesRow, arg: u64, unit: Unit) -> Option<f64> {
    let series =
        boot.platform()?.of(row).find(|series| series.place.arg == arg && series.figures().is_some())?;
    let nanos = series.figures()?.costs.median;
    if unit == Unit::Nanos {
        return Some(nanos);
    }
    let khz = boot.clock().tsc.as_ref()?.khz;
    #[expect(clippy::cast_precision_loss, reason = "a frequency in kHz")]
    let per_ns = khz as f64 / 1e6;
    Some(nanos * per_ns)
}
