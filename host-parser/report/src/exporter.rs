//! What a form of the results must provide.

use std::io::{self, Write};

use results::Results;

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
