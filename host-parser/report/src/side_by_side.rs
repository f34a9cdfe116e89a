//! Several systems side by side: their tables, and what is the same and what differs between them.

use super::number::{grouped, percent};
use super::table::{Table, quoted, workers};
use super::words::short;
use results::{
    CaseRow, CostRow, Figure, OptionDifference, RatioRow, Results, Same, System, SystemComparison,
};

fn none() -> String {
    "-".to_owned()
}

/// The table of the ratios: each system's speed-up against ideal, the native ceiling and Linux.
pub(super) fn ratios(results: &Results, comparison: &SystemComparison) -> Table {
    let header =
        ["system", "workers", "speed-up", "ideal %", "to native", "interval", "to linux", "interval"];
    let row = |row: &CaseRow| {
        let case = row.stats.case;
        let speedup = row.stats.speedup.as_ref().filter(|speedup| speedup.against != case)?;
        let ratios = [System::Native, System::Linux].map(|other| comparison.ratio(row.system, other, case));
        let functional = row.stats.functional_only.is_some()
            || ratios.into_iter().flatten().any(|ratio| ratio.functional_only);
        let shown = |text: String| quoted(functional, text);
        let mut cells = vec![
            row.system.to_string(),
            workers(case, functional),
            shown(format!("{:.3}", speedup.median)),
            shown(percent(speedup.efficiency)),
        ];
        for ratio in ratios {
            cells.push(ratio.map_or_else(none, |row| shown(format!("{:.3}", row.ratio.median))));
            cells.push(ratio.and_then(interval).map_or_else(none, shown));
        }
        Some(cells)
    };
    let rows = results.cases.iter().filter_map(row).collect();
    Table { header: header.map(str::to_owned).to_vec(), rows, named: true }
}

fn interval(row: &RatioRow) -> Option<String> {
    let interval = row.ratio.interval?;
    Some(format!("{:.3}-{:.3}", interval.low, interval.high))
}

/// The table of what it takes to get to the result; `None` if nothing is known of that.
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
    (!rows.is_empty()).then(|| Table { header: header.map(str::to_owned).to_vec(), rows, named: true })
}

fn cost(row: &CostRow) -> Vec<String> {
    let median = |figure: &Option<Figure>, unit: f64, decimals| {
        figure.as_ref().map_or_else(none, |figure| grouped(figure.summary.median / unit, decimals))
    };
    let ratio = |figure: &Option<Figure>| {
        let ratio = figure.as_ref().and_then(|figure| figure.to_linux.as_ref());
        ratio.map_or_else(none, |ratio| format!("{:.3}", ratio.median))
    };
    vec![
        row.system.to_string(),
        row.case.to_string(),
        median(&row.first_serial_us, 1e3, 1),
        median(&row.first_worker_us, 1e3, 1),
        ratio(&row.first_worker_us),
        median(&row.end_record_us, 1e3, 1),
        ratio(&row.end_record_us),
        median(&row.peak_rss_bytes, 1_048_576.0, 1),
        median(&row.image_bytes, 1024.0, 0),
    ]
}

/// Why nothing is compared: the reason, and whatever else differs.
pub(super) fn refusal(comparison: &SystemComparison) -> Vec<String> {
    comparison.findings.iter().map(|finding| format!("{}: {}", finding.reason, finding.detail)).collect()
}

/// What the columns of the ratios are.
pub(super) fn notes(comparison: &SystemComparison) -> Vec<String> {
    let others = [(System::Native, "the host's own processes"), (System::Linux, "the Linux guest")];
    let there = others.iter().filter(|(system, _)| comparison.systems.contains(system));
    let note = |(system, what): &(System, &str)| {
        format!("to {system}: the speed-up over that of {what} by round; median and its interval")
    };
    there.map(note).collect()
}

/// What was shown to be the same in all rows.
pub(super) fn same(comparison: &SystemComparison) -> Vec<String> {
    let line = |same: &Same| {
        let case = same.case.map(|case| format!(", case {case}")).unwrap_or_default();
        format!("{}{case}: {}", same.what, short(&same.value))
    };
    comparison.same.iter().map(line).collect()
}

/// What the QEMU commands differ in.
pub(super) fn differences(comparison: &SystemComparison) -> Vec<String> {
    let subject = comparison.systems.first().copied().unwrap_or_default();
    let value = |value: &Option<String>| match value.as_deref() {
        None => "nothing".to_owned(),
        Some("") => "given".to_owned(),
        Some(value) => short(value),
    };
    let line = |d: &OptionDifference| {
        format!("{}: {subject} {}; {} {}", d.option, value(&d.subject_value), d.system, value(&d.value))
    };
    comparison.differences.iter().map(line).collect()
}
