//! Foreign figures beside ours: another tool's, as it printed them, with our row about the same quantity. No rule judges
//! them, and no verdict depends on them.

use abi::series::SeriesRow;
use evidence::gate::Measurement;
use foreign::{Beside, Figures, Unit};
use results::{Results, System};

use super::lines::wrapped;
use super::table::{Table, none};

/// Foreign figures beside those of our kernel, for a terminal: lines of at most 80 columns.
#[must_use]
pub fn foreign(results: &Results, figures: &Figures) -> String {
    let tool = figures.tool.word();
    let title = format!("FOREIGN, {tool} ({}): not judged, no verdict depends on it", figures.path.display());
    let mut lines = vec![String::new()];
    lines.extend(wrapped(&title, ""));
    if !figures.tool.has_rows_of_ours() {
        lines.extend(by_itself(figures).text().lines().map(str::to_owned));
        lines.extend(wrapped(&format!("foreign: {}", figures.tool.kind()), ""));
        for figure in &figures.all {
            if figure.name.chars().count() > NAME {
                lines.extend(wrapped(&format!("{}...: {}", shortened(&figure.name), figure.name), "  "));
            }
        }
        return lines.join("\n") + "\n";
    }
    lines.extend(table(results, figures).text().lines().map(str::to_owned));
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

fn table(results: &Results, figures: &Figures) -> Table {
    let unit = figures.all.first().map_or(Unit::Ticks, |figure| figure.unit);
    let header = ["foreign", unit.word(), "our row", unit.word(), "ours/foreign"];
    let rows = figures.all.iter().map(|figure| {
        let ours = figure.beside.and_then(|beside| median_of_ours(results, beside, unit));
        let ratio = ours.zip(figure.value).map(|(ours, ticks)| ours / ticks);
        vec![
            figure.name.clone(),
            figure.value.map_or_else(|| "skipped".to_owned(), |ticks| format!("{ticks:.0}")),
            figure.beside.map_or_else(none, row),
            ours.map_or_else(none, |ticks| format!("{ticks:.0}")),
            ratio.map_or_else(none, |ratio| format!("{ratio:.2}")),
        ]
    });
    Table { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), left: vec![0, 2] }
}

fn row(beside: Beside) -> String {
    match beside.arg {
        0 => beside.row.to_string(),
        arg => format!("{} {arg} us", beside.row),
    }
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
