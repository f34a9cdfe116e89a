//! hyperfine's JSON (`benchmark_result.rs`): times in seconds. It requires CPU times and exit codes, which a guest's workers
//! have not: they are 0.0 and 0.

use serde_json::json;

use super::{Better, FormError, pretty, some};
use crate::Subject;
use crate::figures::{figures, times};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let (mut all, mut found) = (Vec::new(), false);
    for subject in subjects {
        for figure in figures(subject.results) {
            found = true;
            let Some(nanos) = &figure.stats.nanos else { continue };
            let seconds = |nanos: f64| nanos / 1e9;
            let each: Vec<f64> = times(subject.results, &figure)
                .iter()
                .filter_map(|time| Some(time.nanos? as f64 / 1e9))
                .collect();
            all.push(json!({
                "command": format!("{} {}", subject.results.experiment.name, figure.system),
                "mean": seconds(nanos.mean), "stddev": nanos.stdev.map(seconds), "median": seconds(nanos.median),
                "user": 0.0, "system": 0.0, "min": seconds(nanos.min), "max": seconds(nanos.max),
                "times": each, "exit_codes": vec![0; each.len()],
                "parameters": { "workers": figure.stats.case.to_string() },
            }));
        }
    }
    if all.is_empty() && found {
        return Err(FormError::NoTime);
    }
    Ok(pretty(&json!({ "results": some(all)? })))
}
