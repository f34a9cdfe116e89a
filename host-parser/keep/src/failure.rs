//! An error for `assay --json`, which takes it into its own answer.

use fleet::LabelError;
use lab::Coded;
use serde_json::{Value, json};

/// The error, with each place in a file that is wrong.
pub fn failure(error: &Coded) -> Value {
    let labels = error.causes().find_map(|cause| cause.downcast_ref::<LabelError>());
    let problems = match labels {
        Some(LabelError::Invalid { path, problems }) => {
            let place = |of: &fleet::LabelProblem| {
                json!({
                    "file": path, "line": of.line, "column": of.column,
                    "key": Some(&of.key).filter(|key| !key.is_empty()), "expected": of.expected,
                    "found": of.found, "message": of.to_string(),
                })
            };
            problems.iter().map(place).collect()
        }
        Some(LabelError::Read { path, source }) => {
            vec![json!({
                "file": path, "line": null, "column": null, "key": null, "expected": null, "found": null,
                "message": source.to_string(),
            })]
        }
        None => Vec::new(),
    };
    json!({ "error": { "message": error.to_string(), "problems": problems } })
}
