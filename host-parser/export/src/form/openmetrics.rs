//! OpenMetrics 1.0: gauges with base units and the time of the session.

use std::fmt::Write as _;

use super::{Better, FormError};
use crate::figures::{figures, rate};
use crate::{Subject, machine_id};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let [mut speedups, mut efficiencies, mut times, mut rates] = [const { String::new() }; 4];
    for subject in subjects {
        let at = subject.started_seconds().map(|seconds| format!(" {seconds}")).unwrap_or_default();
        for figure in figures(subject.results) {
            let labels = format!(
                "experiment=\"{}\",machine=\"{}\",system=\"{}\",workers=\"{}\"",
                escaped(&subject.results.experiment.name),
                machine_id(subject.results),
                figure.system,
                figure.stats.case
            );
            if let Some(speedup) = figure.scales() {
                let (name, lines) = match figure.ratio_name() {
                    "efficiency" => ("assay_efficiency_ratio", &mut efficiencies),
                    _ => ("assay_speedup_ratio", &mut speedups),
                };
                let interval = speedup.interval.map(|of| [("low", of.low), ("high", of.high)]);
                let values = [("value", speedup.median)].into_iter().chain(interval.into_iter().flatten());
                for (bound, value) in values {
                    let _ = writeln!(lines, "{name}{{{labels},bound=\"{bound}\"}} {value}{at}");
                }
            }
            if let Some(rate) = rate(subject.results, &figure) {
                for (of, value) in [("machine", rate.per_second), ("cpu", rate.per_cpu)] {
                    let _ = writeln!(rates, "assay_work_per_second{{{labels},of=\"{of}\"}} {value}{at}");
                }
            }
            if let Some(nanos) = &figure.stats.nanos {
                for (bound, value) in [("value", nanos.median), ("low", nanos.min), ("high", nanos.max)] {
                    let _ = writeln!(
                        times,
                        "assay_time_seconds{{{labels},bound=\"{bound}\"}} {}{at}",
                        value / 1e9
                    );
                }
            }
        }
    }
    if [&speedups, &efficiencies, &times, &rates].iter().all(|lines| lines.is_empty()) {
        return Err(FormError::Nothing);
    }
    let mut text = String::new();
    let families = [
        (
            "assay_speedup_ratio",
            "ratio",
            "How many times as fast as the smallest case; low and high: its interval.",
            speedups,
        ),
        (
            "assay_efficiency_ratio",
            "ratio",
            "Weak scaling: the smallest case's time divided by the case's; low and high: its interval.",
            efficiencies,
        ),
        (
            "assay_time_seconds",
            "seconds",
            "Median time of an iteration; low and high: the least and the greatest.",
            times,
        ),
        (
            "assay_work_per_second",
            "",
            "Work a second by the exact count of work and the median time: of the machine, and of each of its CPUs.",
            rates,
        ),
    ];
    for (name, unit, help, lines) in families.into_iter().filter(|(_, _, _, lines)| !lines.is_empty()) {
        let unit = if unit.is_empty() { String::new() } else { format!("# UNIT {name} {unit}\n") };
        let _ = write!(text, "# TYPE {name} gauge\n{unit}# HELP {name} {help}\n{lines}");
    }
    Ok(text + "# EOF\n")
}

/// A label's value.
fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
