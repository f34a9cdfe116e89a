//! The rows of a session. A row is a system with its artefacts. It finds all of them before the session's first run.

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

/// One system with its artefacts.
pub struct Row {
    /// The row's name. If each row has its own folder, also the folder's name.
    pub name: String,
    /// The system that runs the workers.
    pub system: System,
    runner: Runner,
}

/// How a row runs its workers.
enum Runner {
    Guests(Guests),
    Processes(Processes),
}

impl Row {
    /// Our kernel in guests of `env`, with images in `store`.
    ///
    /// # Errors
    /// A plan cannot be written.
    pub fn ours(name: &str, env: GuestEnv, manifest: &Manifest, store: &Path) -> Result<Self, Coded> {
        let runner = Runner::Guests(Guests::ours(env, manifest, store)?);
        Ok(Self { name: name.to_owned(), system: System::Assay, runner })
    }

    fn new(system: System, runner: Runner) -> Self {
        Self { name: system.to_string(), system, runner }
    }

    /// Builds the missing images or ramdisks. Stops early, without an error, if `cancel` is set between two images.
    ///
    /// # Errors
    /// An image or a ramdisk cannot be built.
    pub fn build(&self, cancel: &CancelToken) -> Result<(), Coded> {
        match &self.runner {
            Runner::Guests(guests) => guests.build(cancel),
            Runner::Processes(processes) => processes.build(),
        }
    }

    /// The digest of the plan's work and the command line of a run of `case`.
    ///
    /// # Errors
    /// The VMM cannot build the machine.
    pub fn describe(&self, manifest: &Manifest, case: u16) -> Result<String, Coded> {
        match &self.runner {
            Runner::Guests(guests) => guests.describe(manifest, case),
            Runner::Processes(processes) => Ok(processes.describe(manifest, case)),
        }
    }

    /// Performs one run.
    ///
    /// # Errors
    /// The run has no outcome, or a file of the run cannot be written.
    pub fn run(&self, run: Run<'_>) -> Result<RunRecord, Coded> {
        match &self.runner {
            Runner::Guests(guests) => guests.run(run),
            Runner::Processes(processes) => processes.run(run),
        }
    }

    /// The environment and the boot image of the guest of `case`; `None` for the native row.
    pub fn guest(&self, case: u16) -> Option<(&GuestEnv, &BootImage)> {
        match &self.runner {
            Runner::Guests(guests) => Some(guests.for_case(case)),
            Runner::Processes(_) => None,
        }
    }

    /// The environment of the row. The native row takes its plan, its worker and its CPUs from it.
    pub fn env(&self) -> &GuestEnv {
        match &self.runner {
            Runner::Guests(guests) => guests.env(),
            Runner::Processes(processes) => processes.env(),
        }
    }

    /// The files that decide the result, with their digests.
    pub fn artifacts(&self) -> &[Artifact] {
        match &self.runner {
            Runner::Guests(guests) => guests.artifacts(),
            Runner::Processes(processes) => processes.artifacts(),
        }
    }
}
