//! `hyperfine --export-json`: `results`, each with its command, its median, its times and its parameters, in seconds.
//! Source: hyperfine, `src/benchmark/benchmark_result.rs`.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use super::{Figure, ForeignError, Tool, Unit};

#[derive(Deserialize)]
struct File {
    results: Vec<Run>,
}

#[derive(Deserialize)]
struct Run {
    command: String,
    median: f64,
    #[serde(default)]
    times: Option<Vec<f64>>,
    #[serde(default)]
    exit_codes: Vec<Option<i32>>,
    #[serde(default)]
    parameters: BTreeMap<String, String>,
}

/// The median of each command.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Figure>, ForeignError> {
    let file: File = serde_json::from_str(text).map_err(|error| ForeignError::Form {
        path: path.to_owned(),
        tool: Tool::Hyperfine.word(),
        detail: error.to_string(),
    })?;
    file.results.into_iter().map(|run| figure(path, run)).collect()
}

fn figure(path: &Path, run: Run) -> Result<Figure, ForeignError> {
    if !(run.median.is_finite() && run.median > 0.0) {
        let detail = "a median that is not above 0 is no time";
        return Err(ForeignError::Figure { path: path.to_owned(), line: 1, name: run.command, detail });
    }
    let each = run.parameters.iter().map(|(name, value)| format!("{name}={value}"));
    let mut notes: Vec<String> = each.collect();
    let failed = run.exit_codes.iter().filter(|code| **code != Some(0)).count();
    if failed > 0 {
        notes.push(format!("{failed} of {} runs failed", run.exit_codes.len()));
    }
    Ok(Figure {
        name: run.command,
        value: Some(run.median),
        unit: Unit::Seconds,
        samples: run.times.map_or(1, |times| times.len() as u64),
        note: notes.join(", "),
        beside: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_its_median_and_what_failed() {
        let text = r#"{"results":[{"command":"sleep 1","mean":1.1,"stddev":null,"median":1.0,"user":0.0,"system":0.0,
            "min":1.0,"max":1.2,"times":[1.0,1.0,1.2],"exit_codes":[0,1,null],"parameters":{"n":"2"}}]}"#;
        let read = read(Path::new("h.json"), text).unwrap();
        let [one] = &read[..] else { panic!("{read:?}") };
        assert_eq!((one.name.as_str(), one.value, one.samples), ("sleep 1", Some(1.0), 3));
        assert_eq!(one.note, "n=2, 2 of 3 runs failed");
    }

    #[test]
    fn other_files_and_times_that_cannot_be_are_refused() {
        for text in ["", "[]", "{\"results\":[{\"command\":\"x\"}]}"] {
            let error = read(Path::new("h.json"), text).unwrap_err();
            assert!(matches!(error, ForeignError::Form { .. }), "{text}: {error}");
        }
        let zero = r#"{"results":[{"command":"x","median":0.0}]}"#;
        assert!(read(Path::new("h.json"), zero).unwrap_err().to_string().contains("not above 0"));
    }
}
