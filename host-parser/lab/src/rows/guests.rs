//! A row whose workers run in guests. Each case has its boot image; the machines differ only in their number of CPUs.

use std::collections::BTreeMap;
use std::path::Path;

use experiment::manifest::Manifest;
use host::CancelToken;
use results::{Artifact, RunRecord};

use crate::boot_image::BootImage;
use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest;
use crate::guest_env::GuestEnv;
use crate::run::Run;

/// The guests of a row.
pub struct Guests {
    env: GuestEnv,
    images: BTreeMap<u16, BootImage>,
    artifacts: Vec<Artifact>,
}

impl Guests {
    /// Guests that boot our kernel in the way that `env` states, with their images in `store`.
    ///
    /// # Errors
    /// A plan cannot be written.
    pub fn ours(env: GuestEnv, manifest: &Manifest, store: &Path) -> Result<Self, Coded> {
        let artifacts = vec![env.kernel.clone(), env.worker()];
        Self::new(env, manifest, artifacts, |env, case| env.image(manifest, &[case], store))
    }

    /// Guests that boot the result of `image` for each case. `artifacts` are the files that the results list.
    ///
    /// # Errors
    /// `image` fails.
    pub fn new(
        env: GuestEnv,
        manifest: &Manifest,
        artifacts: Vec<Artifact>,
        image: impl Fn(&GuestEnv, u16) -> Result<BootImage, Coded>,
    ) -> Result<Self, Coded> {
        let mut images = BTreeMap::new();
        for case in env.cases(manifest) {
            images.insert(case, image(&env, case)?);
        }
        Ok(Self { env, images, artifacts })
    }

    /// Builds the missing images. Stops early, without an error, once `cancel` is set between two of them.
    ///
    /// # Errors
    /// An image cannot be built.
    pub fn build(&self, cancel: &CancelToken) -> Result<(), Coded> {
        for (case, image) in &self.images {
            if cancel.is_cancelled() {
                break;
            }
            if let Some(disk) = image.missing_disk() {
                console::note(&format!("building the image for case {case}: {}", disk.display()));
            }
            image.build(cancel)?;
        }
        Ok(())
    }

    /// The digest of the plan's work and the command line of a run of `case`.
    ///
    /// # Errors
    /// The VMM cannot build the machine.
    pub fn describe(&self, manifest: &Manifest, case: u16) -> Result<String, Coded> {
        let image = &self.images[&case];
        let machine = self.env.machine(manifest, case);
        let spec = guest::spec(&self.env, manifest, machine, image, Path::new("serial.log"));
        let command = spec.command().or_exit(Exit::Environment)?;
        let given = command.given().map_or_else(String::new, |given| {
            format!("\n# {}:\n{}", given.path.display(), given.content.trim_end())
        });
        Ok(format!("work {}\n{command}{given}", image.plan.work_digest()))
    }

    /// Performs one run.
    ///
    /// # Errors
    /// The run has no outcome, or a file of the run cannot be written.
    pub fn run(&self, run: Run<'_>) -> Result<RunRecord, Coded> {
        let image = &self.images[&run.slot.item.case];
        let image = image.with_challenge(run.challenge, run.folder, &run.booted())?;
        guest::run(&self.env, &image, run)
    }

    /// The environment of all guests of the row.
    pub fn env(&self) -> &GuestEnv {
        &self.env
    }

    /// The environment and the boot image of the guest of `case`.
    pub fn for_case(&self, case: u16) -> (&GuestEnv, &BootImage) {
        (&self.env, &self.images[&case])
    }

    /// The files that decide the result, with their digests.
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }
}
