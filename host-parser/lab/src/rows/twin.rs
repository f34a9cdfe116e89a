//! The executable of the Linux twin.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use results::Artifact;

use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::artifact;

/// The executable. It is read once, before the runs: the results record the digest of these bytes.
pub struct Twin {
    /// The path of the executable.
    pub path: PathBuf,
    /// The content of the executable.
    pub bytes: Vec<u8>,
}

impl Twin {
    /// Reads the executable at `path`.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn find(path: &Path) -> Result<Self, Coded> {
        let bytes = fs::read(path)
            .with_context(|| format!("twin {}: cannot be read; `make twin` builds it", path.display()))
            .or_exit(Exit::Environment)?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// The twin's name, digest and size, for the results.
    pub fn artifact(&self) -> Artifact {
        artifact("assay-twin", &self.bytes)
    }
}
