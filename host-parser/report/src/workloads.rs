//! The table of a set of workloads. Each line is of one system at one workload: there is no line for all of them.

use results::{CaseFigures, SystemFigures, WorkloadFigures};
use stats::PairedRatio;

use crate::table::{Table, none, quoted};

/// The cases that have a column.
const CASES: [u16; 3] = [1, 2, 4];

/// The table, for a terminal.
#[must_use]
pub fn workloads(all: &[WorkloadFigures]) -> String {
    let mut header = vec!["workload".to_owned(), "system".to_owned()];
    header.extend(CASES.map(|case| format!("{case}/s")));
    header.extend(["2x", "exp.", "4x", "exp.", "to Linux"].map(str::to_owned));
    let rows = all.iter().flat_map(rows).collect();
    let table = Table { header, rows, left: vec![0, 1] }.text_by_group();
    let mut cases = all.iter().flat_map(|workload| &workload.systems).flat_map(|system| &system.cases);
    let notes = if cases.any(is_in_brackets) { BRACKETS } else { "" };
    format!("{table}\n{MEANING}{notes}")
}

const MEANING: &str = "\
1/s, 2/s, 4/s: work a second of 1, 2 and 4 workers together, in the unit named.
2x, 4x: the speed-up over 1 worker, undisturbed; exp.: as experienced. Of weak
scaling, in which every worker does the whole, it is the efficiency: the time of
1 worker divided by that of n.
to Linux: Linux's time divided by the system's, with 1 worker: the median over
the rounds and its interval; without one there were fewer than five rounds.
There is no figure for all workloads together: they measure different things.
";

const BRACKETS: &str = "\
In brackets, no claim: more CPUs than the host has, or as experienced only.
";

/// Whether a case's figures support no claim.
fn is_in_brackets(case: &CaseFigures) -> bool {
    case.functional_only || !case.undisturbed
}

/// The lines of one workload.
fn rows(workload: &WorkloadFigures) -> Vec<Vec<String>> {
    let WorkloadFigures { name, unit, status, systems, weak } = workload;
    let scaling = if *weak { ", weak" } else { "" };
    let group = format!("{name} ({unit}{scaling}): {status}");
    if systems.is_empty() {
        let mut row = vec![group, "-".to_owned()];
        row.resize_with(2 + CASES.len() + 5, none);
        return vec![row];
    }
    systems.iter().map(|system| row(&group, system)).collect()
}

fn row(group: &str, system: &SystemFigures) -> Vec<String> {
    let case = |number| system.cases.iter().find(|case| case.case == number);
    let mut row = vec![group.to_owned(), system.system.word().to_owned()];
    row.extend(CASES.map(|number| cell(case(number), |case| case.rate.map(scaled))));
    for number in &CASES[1..] {
        row.push(cell(case(*number), |case| case.speedup.map(|speedup| format!("{speedup:.2}"))));
        row.push(cell(case(*number), |case| case.experienced.map(|speedup| format!("{speedup:.2}"))));
    }
    row.push(system.to_linux.as_ref().map_or_else(none, ratio));
    row
}

fn cell(case: Option<&CaseFigures>, text: impl Fn(&CaseFigures) -> Option<String>) -> String {
    let text = case.and_then(|case| Some(quoted(is_in_brackets(case), text(case)?)));
    text.unwrap_or_else(none)
}

fn ratio(ratio: &PairedRatio) -> String {
    let PairedRatio { median, interval, .. } = ratio;
    match interval {
        Some(interval) => format!("{median:.2} {:.2}..{:.2}", interval.low, interval.high),
        None => format!("{median:.2}"),
    }
}

/// A number with three digits and the SI prefix for the rest.
fn scaled(value: f64) -> String {
    let (mut value, mut prefix) = (value, "");
    for next in ["k", "M", "G", "T"] {
        if value < 999.5 {
            break;
        }
        (value, prefix) = (value / 1000.0, next);
    }
    let decimals = if value < 9.995 { 2 } else { usize::from(value < 99.95) };
    format!("{value:.decimals$}{prefix}")
}

#[cfg(test)]
mod tests {
    use results::System;
    use stats::Interval;

    use super::*;

    fn figures(name: &str, systems: &[System]) -> WorkloadFigures {
        let case = |case: u16| CaseFigures {
            case,
            rate: Some(1_234_567.0 * f64::from(case)),
            speedup: (case > 1).then_some(1.95),
            experienced: (case > 1).then_some(1.87),
            undisturbed: true,
            functional_only: case == 4,
        };
        let interval = Some(Interval { level: 0.95, low: 0.98, high: 1.04 });
        let of_system = |&system: &System| SystemFigures {
            system,
            cases: CASES.map(case).to_vec(),
            to_linux: (system != System::Linux).then(|| PairedRatio {
                ratios: vec![1.0; 7],
                median: 1.013,
                interval,
            }),
        };
        WorkloadFigures {
            name: name.to_owned(),
            unit: "floating-point operations".to_owned(),
            status: "measured".to_owned(),
            systems: systems.iter().map(of_system).collect(),
            weak: name == "triad",
        }
    }

    fn table() -> String {
        let systems = [System::Assay, System::Linux, System::Native];
        let skipped =
            WorkloadFigures::not_run("chunk-hash-sha-ni", "chunks of 64 KiB", "requirement-missing");
        workloads(&[figures("contention-false-sharing", &systems), figures("dgemm", &systems), skipped])
    }

    #[test]
    fn is_at_most_80_columns_wide() {
        for line in table().lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
    }

    #[test]
    fn shows_rates_speedups_and_ratios_of_each_system() {
        let table = table();
        let assay = table.lines().find(|line| line.starts_with("assay")).unwrap();
        for cell in ["1.23M", "2.47M", "(4.94M)", "1.95", "1.87", "(1.95)", "1.01 0.98..1.04"] {
            assert!(assay.contains(cell), "{cell}: {assay}");
        }
        assert!(table.contains("chunk-hash-sha-ni (chunks of 64 KiB): requirement-missing"));
    }

    /// A line for each system of each workload, one for each that has none, and no other.
    #[test]
    fn has_no_aggregate() {
        let table = table();
        let (rows, _) = table.split_once("\n\n").unwrap();
        // The header, three groups with a line each, and their systems.
        assert_eq!(rows.lines().count(), 1 + 3 + 3 + 3 + 1);
        for word in ["total", "mean", "geometric", "score", "overall", "average", "sum"] {
            assert!(!rows.to_lowercase().contains(word), "{word}");
        }
    }

    #[test]
    fn scales_to_three_digits() {
        for (value, text) in
            [(0.5, "0.50"), (9.994, "9.99"), (99.9, "99.9"), (999.4, "999"), (999.6, "1.00k"), (2e9, "2.00G")]
        {
            assert_eq!(scaled(value), text);
        }
    }
}
