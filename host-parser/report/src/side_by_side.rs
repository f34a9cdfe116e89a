//! Several systems side by side: their tables, their common properties and their differences.

use super::cases::ratio_name;
use super::number::{grouped, percent};
use super::table::{Table, none, quoted, workers};
use super::words::short;
use results::{
    CaseRow, CostRow, ExcludedShare, Figure, OptionDifference, RatioRow, Results, RunRecord, Same, System,
    SystemComparison,
};

/// The table of the ratios: each system's speed-up as a part of the ideal one, of the native one and of Linux's.
pub(super) fn ratios(results: &Results, comparison: &SystemComparison) -> Table {
    let header = [
        "system",
        "workers",
        ratio_name(results),
        "ideal %",
        "to native",
        "interval",
        "to linux",
        "interval",
    ];
    let rows = results.cases.iter().filter_map(|row| ratio_cells(row, comparison)).collect();
    Table { header: header.map(str::to_owned).to_vec(), rows, left: vec![0] }
}

/// The ratios of a case; `None` for the smallest case, which the speed-ups are against.
fn ratio_cells(row: &CaseRow, comparison: &SystemComparison) -> Option<Vec<String>> {
    let case = row.stats.case;
    let speedup = row.stats.speedup.as_ref().filter(|speedup| speedup.against != case)?;
    let ratios = [System::Native, System::Linux].map(|other| comparison.ratio(row.system, other, case));
    let functional = row.stats.functional_only.is_some()
        || ratios.into_iter().flatten().any(|ratio| ratio.functional_only);
    let mut cells = vec![
        row.system.to_string(),
        workers(case, functional),
        quoted(functional, format!("{:.3}", speedup.median)),
        quoted(functional, percent(speedup.efficiency)),
    ];
    for ratio in ratios {
        let median = ratio.map(|row| format!("{:.3}", row.ratio.median));
        cells.push(median.map_or_else(none, |text| quoted(functional, text)));
        cells.push(ratio.and_then(interval).map_or_else(none, |text| quoted(functional, text)));
    }
    Some(cells)
}

/// What is excluded of each system and case, side by side; `None` if nothing is.
pub(super) fn excluded(results: &Results) -> Option<Table> {
    let header = ["system", "workers", "runs", "again", "excluded", "iterations", "excluded", "%"];
    let shares = &results.selection.shares;
    let again = |of: &ExcludedShare| {
        let of_case =
            |run: &&RunRecord| run.system == of.system && run.case.is_none_or(|case| case == of.case);
        results.runs.iter().filter(|run| run.attempt > 0).filter(of_case).count()
    };
    let rows = shares.iter().map(|of| {
        let counts = [of.runs, again(of), of.runs_excluded, of.iterations.made, of.iterations.excluded];
        let mut cells = vec![of.system.to_string(), of.case.to_string()];
        cells.extend(counts.map(|count| count.to_string()));
        cells.push(percent(of.share));
        cells
    });
    let any = shares.iter().any(|of| of.iterations.excluded > 0 || of.runs_excluded > 0);
    any.then(|| Table { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), left: vec![0] })
}

/// The meaning of its columns.
pub(super) const EXCLUDED: &str = "runs: all that were made; again: further attempts at a run that the host disturbed; \
                                   excluded: by the evidence of the runs themselves; %: mean part of the iterations, \
                                   over the first attempts";

fn interval(row: &RatioRow) -> Option<String> {
    let interval = row.ratio.interval?;
    Some(format!("{:.3}-{:.3}", interval.low, interval.high))
}

/// The table of boot times, memory and image sizes; `None` if no run has any.
pub(super) fn costs(results: &Results) -> Option<Table> {
    let header = [
        "system",
        "workers",
        "byte ms",
        "worker ms",
        "to linux",
        "result ms",
        "to linux",
        "RSS MiB",
        "img KiB",
    ];
    let rows: Vec<Vec<String>> = results.costs.iter().map(cost).collect();
    (!rows.is_empty()).then(|| Table { header: header.map(str::to_owned).to_vec(), rows, left: vec![0] })
}

fn median(figure: Option<&Figure>, unit: f64, decimals: usize) -> String {
    figure.map_or_else(none, |figure| grouped(figure.summary.median / unit, decimals))
}

fn to_linux(figure: Option<&Figure>) -> String {
    let ratio = figure.and_then(|figure| figure.to_linux.as_ref());
    ratio.map_or_else(none, |ratio| format!("{:.3}", ratio.median))
}

fn cost(row: &CostRow) -> Vec<String> {
    vec![
        row.system.to_string(),
        row.case.to_string(),
        median(row.first_serial_us.as_ref(), 1e3, 1),
        median(row.first_worker_us.as_ref(), 1e3, 1),
        to_linux(row.first_worker_us.as_ref()),
        median(row.end_record_us.as_ref(), 1e3, 1),
        to_linux(row.end_record_us.as_ref()),
        median(row.peak_rss_bytes.as_ref(), 1_048_576.0, 1),
        median(row.image_bytes.as_ref(), 1024.0, 0),
    ]
}

/// Why nothing is compared: the reason first, then every other difference.
pub(super) fn refusal(comparison: &SystemComparison) -> Vec<String> {
    comparison.findings.iter().map(|finding| format!("{}: {}", finding.reason, finding.detail)).collect()
}

/// The meaning of the ratios' columns.
pub(super) fn notes(comparison: &SystemComparison) -> Vec<String> {
    let others = [(System::Native, "the host's own processes"), (System::Linux, "the Linux guest")];
    let mut notes = Vec::new();
    for (system, name) in others {
        if comparison.systems.contains(&system) {
            notes.push(format!("to {system}: undisturbed speed-up by that of {name}, by round"));
        }
    }
    notes
}

/// The properties that were shown to be the same in all rows.
pub(super) fn same(comparison: &SystemComparison) -> Vec<String> {
    comparison.same.iter().map(same_line).collect()
}

fn same_line(same: &Same) -> String {
    let case = same.case.map(|case| format!(", case {case}")).unwrap_or_default();
    format!("{}{case}: {}", same.what, short(&same.value))
}

/// The options in which the QEMU commands differ.
pub(super) fn differences(comparison: &SystemComparison) -> Vec<String> {
    let subject = comparison.systems.first().copied().unwrap_or_default();
    comparison.differences.iter().map(|difference| difference_line(subject, difference)).collect()
}

fn difference_line(subject: System, difference: &OptionDifference) -> String {
    let (ours, theirs) = (option_value(&difference.subject_value), option_value(&difference.value));
    format!("{}: {subject} {ours}; {} {theirs}", difference.option, difference.system)
}

fn option_value(value: &Option<String>) -> String {
    match value.as_deref() {
        None => "not given".to_owned(),
        Some("") => "given".to_owned(),
        Some(value) => short(value),
    }
}
