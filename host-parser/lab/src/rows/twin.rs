//! The Linux twin's program.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use results::Artifact;

use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::artifact;

/// The program, read once: the recorded digest is that of the program that runs.
pub struct Twin {
    /// Where it is.
    pub path: PathBuf,
    /// What it is.
    pub bytes: Vec<u8>,
}

impl Twin {
    /// The program at `path`.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn find(path: &Path) -> Result<Self, Coded> {
        let bytes = fs::read(path)
            .with_context(|| format!("twin {}: not there; `make twin` builds it", path.display()))
            .or_exit(Exit::Environment)?;
        Ok(Self { path: path.to_owned(), bytes })
    }

    /// For the results.
    pub fn artifact(&self) -> Artifact {
        artifact("assay-twin", &self.bytes)
    }
}
