//! Results in every form, as files of one folder.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use results::{Results, WriteError, write_atomically};

use super::{ResultsJson, SamplesCsv, SummaryMarkdown};

/// A form that results can be written in.
pub trait Exporter {
    /// The file's name.
    fn file_name(&self) -> &'static str;

    /// Writes the results.
    ///
    /// # Errors
    /// Those of `out`.
    fn export(&self, results: &Results, out: &mut dyn Write) -> io::Result<()>;
}

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
