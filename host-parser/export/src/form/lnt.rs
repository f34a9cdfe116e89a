//! LNT's report, format 2: lists of samples, of which less is better for `execution_time` (s).
//!
//! Its order is by the number of a revision, which a session has not: the time of the session takes its place.

use std::time::{Duration, UNIX_EPOCH};

use serde_json::json;

use super::{Better, FormError, pretty, some};
use crate::figures::{figures, times};
use crate::{Subject, machine_id};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    // A file has one run of one machine.
    let [subject] = subjects else { return Err(FormError::OneSession) };
    let mut tests = Vec::new();
    let all = figures(subject.results);
    for figure in &all {
        let each: Vec<f64> =
            times(subject.results, figure).iter().filter_map(|time| Some(time.nanos? as f64 / 1e9)).collect();
        if !each.is_empty() {
            tests.push(json!({ "name": figure.name(subject), "execution_time": each }));
        }
    }
    if tests.is_empty() && !all.is_empty() {
        return Err(FormError::NoTime);
    }
    let at = |seconds: u64| {
        let time = humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_secs(seconds)).to_string();
        time.replace('Z', "")
    };
    let start = subject.started_seconds().unwrap_or(0);
    let last = subject
        .results
        .runs
        .iter()
        .filter_map(|run| Some(run.made.started_unix_ms? + run.made.wall_ms?))
        .max();
    let end = last.map_or(start, |last| last / 1000);
    Ok(pretty(&json!({
        "format_version": "2",
        "machine": { "name": machine_id(subject.results) },
        "run": {
            "start_time": at(start), "end_time": at(end), "llvm_project_revision": start.to_string(),
            "session": subject.session(),
        },
        "tests": some(tests)?,
    })))
}
