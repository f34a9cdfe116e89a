//! What runs the workers of a session, row by row: our kernel, the Linux guest, processes of the host. Each row finds
//! what it needs before the first run, and then makes the runs of its slots.

mod guests;
mod linux;
pub mod native;
mod processes;
mod twin;

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use host::CancelToken;
use host_parser::manifest::{Boot, Manifest};
use host_parser::results::{Artifact, RunRecord, System};
use qemu::linux::Mitigations;

pub use self::guests::Guests;
use self::processes::Processes;
use crate::boot_image::BootImage;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::run::{Run, RunKey};

/// Which systems take part in a session, and what they need beside guests.
#[derive(Clone, Debug)]
pub struct SystemsSpec {
    /// The systems.
    pub systems: Vec<System>,
    /// The Linux twin.
    pub twin: PathBuf,
    /// Whether a Linux kernel that is not there may be fetched.
    pub fetch: bool,
}

/// The rows of a session.
pub struct Systems {
    rows: Vec<(System, Row)>,
    cases: Vec<u16>,
}

/// A way to run workers.
enum Row {
    Guests(Guests),
    Processes(Processes),
}

impl Systems {
    /// Prepares the systems that were asked for; their files are to be in `store`.
    ///
    /// # Errors
    /// A system that is named twice or makes no row of its own, and whatever one lacks.
    pub fn prepare(
        spec: &SystemsSpec,
        manifest: &Manifest,
        lab: &GuestEnv,
        store: &Path,
    ) -> Result<Self, Coded> {
        let mut asked = spec.systems.clone();
        asked.sort_unstable();
        if let Some(pair) = asked.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(anyhow!("--systems: {} is named twice", pair[0])).or_exit(Exit::Usage);
        }
        if asked.contains(&System::AssayBios) && lab.boot() != Boot::Direct {
            let boot = lab.boot_word();
            let error =
                anyhow!("--systems: assay-bios is for manifests with boot = \"direct\", not \"{boot}\"");
            return Err(error).or_exit(Exit::Usage);
        }
        let row = |&system: &System| {
            let row = match system {
                System::Assay => Row::Guests(Guests::ours(lab.clone(), manifest, store)?),
                System::AssayBios => Row::Guests(Guests::ours(lab.by_bios(), manifest, store)?),
                System::Linux => {
                    Row::Guests(linux::guests(spec, lab, manifest, store, Mitigations::Default)?)
                }
                System::LinuxMitigationsOff => {
                    Row::Guests(linux::guests(spec, lab, manifest, store, Mitigations::Off)?)
                }
                System::Native => Row::Processes(Processes::prepare(&spec.twin, lab, manifest, store)?),
            };
            Ok((system, row))
        };
        Ok(Self { rows: asked.iter().map(row).collect::<Result<_, _>>()?, cases: lab.cases(manifest) })
    }

    /// What a round is made of.
    pub fn tasks(&self) -> Vec<RunKey> {
        let of = |system| self.cases.iter().map(move |&case| RunKey { system, case });
        self.rows.iter().flat_map(|&(system, _)| of(system)).collect()
    }

    /// Builds what is not there yet, until cancelled.
    ///
    /// # Errors
    /// What could not be built.
    pub fn build(&self, cancel: &CancelToken) -> Result<(), Coded> {
        self.rows.iter().try_for_each(|(_, row)| match row {
            Row::Guests(guests) => guests.build(cancel),
            Row::Processes(processes) => processes.build(),
        })
    }

    /// The command of a run, and the plan that it is given.
    ///
    /// # Errors
    /// A machine that QEMU cannot build.
    pub fn tell(&self, manifest: &Manifest, task: RunKey) -> Result<String, Coded> {
        match self.row(task.system) {
            Row::Guests(guests) => guests.tell(manifest, task.case),
            Row::Processes(processes) => Ok(processes.tell(manifest, task.case)),
        }
    }

    /// Makes a run.
    ///
    /// # Errors
    /// What kept it from having an outcome at all, or its files from being written.
    pub fn run(&self, run: Run<'_>) -> Result<RunRecord, Coded> {
        match self.row(run.slot.item.system) {
            Row::Guests(guests) => guests.run(run),
            Row::Processes(processes) => processes.run(run),
        }
    }

    /// What the guest of a run is, if its workers run in one: its machine and what it boots.
    pub fn guest(&self, task: RunKey) -> Option<(&GuestEnv, &BootImage)> {
        match self.row(task.system) {
            Row::Guests(guests) => Some(guests.of_case(task.case)),
            Row::Processes(_) => None,
        }
    }

    /// What the rows are made of, each once.
    pub fn artifacts(&self) -> Vec<Artifact> {
        let mut artifacts = Vec::new();
        for (_, row) in &self.rows {
            let of_row = match row {
                Row::Guests(guests) => guests.artifacts(),
                Row::Processes(processes) => processes.artifacts(),
            };
            for artifact in of_row {
                if !artifacts.contains(artifact) {
                    artifacts.push(artifact.clone());
                }
            }
        }
        artifacts
    }

    fn row(&self, system: System) -> &Row {
        let row = self.rows.iter().find(|(of, _)| *of == system);
        &row.expect("tasks are of the systems that were prepared").1
    }
}
