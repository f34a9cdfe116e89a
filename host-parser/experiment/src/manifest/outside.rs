//! A program that is not Assay's own, and its oracle: files that the manifest names.

use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The files of a program from outside this tree.
#[derive(Clone, Debug)]
pub struct Outside {
    /// The program's ELF.
    pub program: PathBuf,
    /// The oracle's text, as its file had it.
    pub oracle: Arc<str>,
}

/// Where the oracle is that a manifest calls so; `None` if none is to be read.
pub(super) type OracleAt<'a> = &'a dyn Fn(&str) -> Option<PathBuf>;

/// The file that the manifest at `manifest` calls `file`: a path from its folder.
pub(super) fn beside(manifest: &Path, file: &str) -> PathBuf {
    manifest.parent().unwrap_or(Path::new("")).join(file)
}
