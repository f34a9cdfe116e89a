//! Results in every form, as files of one folder.

use std::path::{Path, PathBuf};

use results::{Results, WriteError, write_atomically};

use super::csv::SamplesCsv;
use super::exporter::Exporter;
use super::json::ResultsJson;
use super::markdown::SummaryMarkdown;

/// Every form there is. The first is the one that has everything in it.
pub const EXPORTERS: [&dyn Exporter; 3] = [&ResultsJson, &SamplesCsv, &SummaryMarkdown];

/// Writes the results in every form into the directory `dir`, which must exist, and gives the files' paths. Files
/// that are there are replaced.
///
/// # Errors
/// The first file that could not be written; the others were tried nevertheless.
pub fn write_all(dir: &Path, results: &Results) -> Result<Vec<PathBuf>, WriteError> {
    let each = EXPORTERS.map(|exporter| {
        let path = dir.join(exporter.file_name());
        write_atomically(&path, |out| exporter.export(results, out))?;
        Ok(path)
    });
    each.into_iter().collect()
}
