//! samples.csv of several sessions in one file: the same columns, after the session, the machine and the tool.

use report::{Exporter, SamplesCsv};

use super::{Better, FormError};
use crate::{Subject, machine_id};

pub fn write(subjects: &[Subject<'_>], _: Better) -> Result<String, FormError> {
    let mut text = String::new();
    for subject in subjects {
        let mut bytes = Vec::new();
        // Memory takes all.
        let _ = SamplesCsv.export(subject.results, &mut bytes);
        let samples = String::from_utf8_lossy(&bytes).into_owned();
        let mut lines = samples.lines();
        let header = lines.next().unwrap_or_default();
        if text.is_empty() {
            text = format!("session,machine,tool,{header}\n");
        }
        let row = [subject.session(), &machine_id(subject.results), &subject.results.tool.to_string()]
            .map(quoted)
            .join(",");
        lines.for_each(|line| text += &format!("{row},{line}\n"));
    }
    Ok(text)
}

/// A field (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}
