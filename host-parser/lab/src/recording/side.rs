//! A side: what its guests are made of, and where its session goes.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use host_parser::gate::Gate;
use host_parser::manifest::Manifest;
use host_parser::results::Environment;

use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::systems::Guests;

/// A side.
pub struct Side {
    /// Its name, and that of its session's folder.
    pub name: &'static str,
    /// What runs its workers.
    pub guests: Guests,
    /// Where they run.
    pub environment: Environment,
    /// Who judges its runs.
    pub gate: Gate,
}

impl Side {
    /// Finds all that is needed, with images in `store`.
    ///
    /// # Errors
    /// A plan that cannot be written.
    pub fn prepare(
        name: &'static str,
        lab: GuestEnv,
        manifest: &Manifest,
        store: &Path,
    ) -> Result<Self, Coded> {
        let guests = Guests::ours(lab.clone(), manifest, store)?;
        let environment = lab.environment(manifest, guests.artifacts().to_vec());
        Ok(Self { name, guests, environment, gate: Gate::default() })
    }

    /// Where its runs' files go, in the folder of the recording.
    pub fn runs(&self, folder: &Path) -> PathBuf {
        folder.join(self.name).join("runs")
    }

    /// Makes that folder.
    ///
    /// # Errors
    /// It cannot be made.
    pub fn create_folder(&self, folder: &Path) -> Result<(), Coded> {
        let runs = self.runs(folder);
        fs::create_dir_all(&runs).with_context(|| runs.display().to_string()).or_exit(Exit::Output)
    }
}
