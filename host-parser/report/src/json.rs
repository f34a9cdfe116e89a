//! results.json: everything.

use std::io::{self, Write};

use results::Results;

use super::exporter::Exporter;

/// Writes all of the results as JSON.
#[derive(Clone, Copy, Debug)]
pub struct ResultsJson;

impl Exporter for ResultsJson {
    fn file_name(&self) -> &'static str {
        "results.json"
    }

    fn export(&self, results: &Results, out: &mut dyn Write) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut *out, results)?;
        out.write_all(b"\n")
    }
}
