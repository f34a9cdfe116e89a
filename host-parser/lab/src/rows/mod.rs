//! The rows of a session: each is a system with what its runs are made of. A row finds what it needs before the first run,
//! and then makes its runs.

mod guests;
mod linux;
pub mod native;
mod processes;
mod systems;
mod twin;

use std::path::Path;

use experiment::manifest::Manifest;
use host::CancelToken;
use results::{Artifact, RunRecord, System};

use self::guests::Guests;
use self::processes::Processes;
pub use self::systems::{SystemsSpec, of_systems};
use crate::boot_image::BootImage;
use crate::exit::Coded;
use crate::guest_env::GuestEnv;
use crate::run::Run;

/// A row.
pub struct Row {
    /// Its name. If each row is stored by itself, that of its folder.
    pub name: String,
    /// What runs its workers.
    pub system: System,
    runner: Runner,
}

/// A way to run workers.
enum Runner {
    Guests(Guests),
    Processes(Processes),
}

impl Row {
    /// Our own kernel in guests of `env`, with images in `store`.
    ///
    /// # Errors
    /// A plan that cannot be written.
    pub fn ours(name: &str, env: GuestEnv, manifest: &Manifest, store: &Path) -> Result<Self, Coded> {
        let runner = Runner::Guests(Guests::ours(env, manifest, store)?);
        Ok(Self { name: name.to_owned(), system: System::Assay, runner })
    }

    fn of(system: System, runner: Runner) -> Self {
        Self { name: system.to_string(), system, runner }
    }

    /// Builds what is not there yet, until cancelled.
    ///
    /// # Errors
    /// What could not be built.
    pub fn build(&self, cancel: &CancelToken) -> Result<(), Coded> {
        match &self.runner {
            Runner::Guests(guests) => guests.build(cancel),
            Runner::Processes(processes) => processes.build(),
        }
    }

    /// The command of a run of `case`, and the plan that it is given.
    ///
    /// # Errors
    /// A machine that QEMU cannot build.
    pub fn describe(&self, manifest: &Manifest, case: u16) -> Result<String, Coded> {
        match &self.runner {
            Runner::Guests(guests) => guests.describe(manifest, case),
            Runner::Processes(processes) => Ok(processes.describe(manifest, case)),
        }
    }

    /// Makes a run.
    ///
    /// # Errors
    /// What kept it from having an outcome at all, or its files from being written.
    pub fn run(&self, run: Run<'_>) -> Result<RunRecord, Coded> {
        match &self.runner {
            Runner::Guests(guests) => guests.run(run),
            Runner::Processes(processes) => processes.run(run),
        }
    }

    /// The guest of `case`, if the workers run in one: its machine and what it boots.
    pub fn guest(&self, case: u16) -> Option<(&GuestEnv, &BootImage)> {
        match &self.runner {
            Runner::Guests(guests) => Some(guests.of_case(case)),
            Runner::Processes(_) => None,
        }
    }

    /// What guests are made of here.
    pub fn env(&self) -> &GuestEnv {
        match &self.runner {
            Runner::Guests(guests) => guests.env(),
            Runner::Processes(processes) => processes.env(),
        }
    }

    /// What the row is made of.
    pub fn artifacts(&self) -> &[Artifact] {
        match &self.runner {
            Runner::Guests(guests) => guests.artifacts(),
            Runner::Processes(processes) => processes.artifacts(),
        }
    }
}
