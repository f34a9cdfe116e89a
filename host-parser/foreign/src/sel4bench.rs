//! sel4bench's JSON output: a list of benchmarks, each with rows of results in cycles. It comes on a console, between other
//! text. Source: sel4bench, `apps/sel4bench/src/json.c`.

use std::path::Path;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{Figure, ForeignError, Tool, Unit};

#[derive(Deserialize)]
struct Benchmark {
    #[serde(rename = "Benchmark")]
    name: String,
    #[serde(rename = "Results")]
    rows: Vec<Map<String, Value>>,
}

/// The keys of a row that are figures; all others say what the row is of.
const FIGURES: [&str; 11] = [
    "Min",
    "Max",
    "Mean",
    "Stddev",
    "Variance",
    "Mode",
    "Median",
    "1st quantile",
    "3rd quantile",
    "Samples",
    "Raw results",
];

/// The median of each row. A row whose median is no number (`nan`) is left out.
pub(super) fn read(path: &Path, text: &str) -> Result<Vec<Figure>, ForeignError> {
    let benchmarks = find(text).map_err(|detail| ForeignError::Form {
        path: path.to_owned(),
        tool: Tool::Sel4bench.word(),
        detail,
    })?;
    Ok(benchmarks.iter().flat_map(|of| of.rows.iter().filter_map(|row| figure(&of.name, row))).collect())
}

/// The list in the text: from the first line that begins it, to its end.
fn find(text: &str) -> Result<Vec<Benchmark>, String> {
    let mut last = "no line begins with `[`".to_owned();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        if line.trim_start().starts_with('[') {
            let mut lists = serde_json::Deserializer::from_str(&text[at..]).into_iter::<Vec<Benchmark>>();
            match lists.next() {
                Some(Ok(list)) if !list.is_empty() => return Ok(list),
                Some(Err(error)) => last = error.to_string(),
                _ => {}
            }
        }
        at += line.len();
    }
    Err(last)
}

fn figure(benchmark: &str, row: &Map<String, Value>) -> Option<Figure> {
    // 0 is one: the tool takes its own overhead off.
    let median = row.get("Median")?.as_f64().filter(|median| *median >= 0.0)?;
    let which = row.iter().filter(|(key, _)| !FIGURES.contains(&key.as_str()));
    let which: Vec<String> = which.map(|(key, value)| format!("{key}={}", plain(value))).collect();
    let name =
        if which.is_empty() { benchmark.to_owned() } else { format!("{benchmark} ({})", which.join(", ")) };
    let samples = row.get("Samples").and_then(Value::as_u64).unwrap_or(1);
    Some(Figure { name, value: Some(median), unit: Unit::Cycles, samples, note: String::new(), beside: None })
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONSOLE: &str = "Bootstrapping kernel\r\n[core] ready\nJSON OUTPUT\n[\n {\"Benchmark\": \"One way IPC\", \
        \"Results\": [{\"Function\": \"seL4_Call\", \"Direction\": \"client->server\", \"Min\": 400, \"Max\": 500, \
        \"Mean\": 410.5, \"Median\": 408.0, \"Samples\": 16, \"Raw results\": [400, 500]}, {\"Median\": \"nan\"}]}\n]\n\
        All is well in the universe\n";

    #[test]
    fn the_list_is_found_between_other_text() {
        let read = read(Path::new("s.log"), CONSOLE).unwrap();
        let [one] = &read[..] else { panic!("{read:?}") };
        assert_eq!(one.name, "One way IPC (Direction=client->server, Function=seL4_Call)");
        assert_eq!((one.value, one.samples, one.unit), (Some(408.0), 16, Unit::Cycles));
    }

    #[test]
    fn a_console_without_it_is_refused() {
        for text in ["", "[core] ready\n", &CONSOLE[..200]] {
            let error = read(Path::new("s.log"), text).unwrap_err();
            assert!(matches!(error, ForeignError::Form { .. }), "{text}: {error}");
        }
    }
}
