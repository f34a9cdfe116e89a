//! github-action-benchmark (1.22, `extract.ts`): name, unit, value; `range` and `extra` are only shown.
//!
//! The file does not say which direction is better, so speed-ups and times are two files. A unit must not change between
//! commits: times are in ns for ever.

use serde_json::json;

use super::{Better, FormError, pretty, some};
use crate::figures::figures;
use crate::{Subject, machine_id};

pub fn write(subjects: &[Subject<'_>], better: Better) -> Result<String, FormError> {
    let mut all = Vec::new();
    for subject in subjects {
        for figure in figures(subject.results) {
            let name = figure.name(subject);
            let extra = format!("{} rounds, machine {}", figure.stats.cycles.n, machine_id(subject.results));
            match better {
                Better::Bigger => all.extend(figure.scales().map(|speedup| {
                    let range = speedup.interval.map(|of| format!("{:.3} to {:.3}", of.low, of.high));
                    let level = speedup
                        .interval
                        .map_or("no interval".to_owned(), |of| format!("{:.1} % interval", of.level * 100.0));
                    json!({
                        "name": format!("{name} {}", figure.ratio_name()), "unit": "x", "value": speedup.median,
                        "range": range.unwrap_or_default(), "extra": format!("{level}, {extra}"),
                    })
                })),
                Better::Smaller => all.extend(figure.stats.nanos.as_ref().map(|nanos| {
                    json!({
                        "name": format!("{name} time"), "unit": "ns", "value": nanos.median,
                        "range": format!("{:.0} to {:.0}", nanos.min, nanos.max), "extra": extra,
                    })
                })),
            }
        }
    }
    Ok(pretty(&json!(some(all)?)))
}
