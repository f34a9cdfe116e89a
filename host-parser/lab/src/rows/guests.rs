//! A row whose workers run in guests: one image for each case, the same machine for all of them.

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
    /// Our kernel, booted as `env` says.
    ///
    /// # Errors
    /// A plan that cannot be written.
    pub fn ours(env: GuestEnv, manifest: &Manifest, store: &Path) -> Result<Self, Coded> {
        let artifacts = vec![env.kernel.clone(), env.worker()];
        Self::new(env, manifest, artifacts, |env, case| env.image(manifest, &[case], store))
    }

    /// Guests that boot `image` for each case.
    ///
    /// # Errors
    /// Those of `image`.
    pub fn new(
        env: GuestEnv,
        manifest: &Manifest,
        artifacts: Vec<Artifact>,
        image: impl Fn(&GuestEnv, u16) -> Result<BootImage, Coded>,
    ) -> Result<Self, Coded> {
        let image = |&case: &u16| Ok((case, image(&env, case)?));
        let images = env.cases(manifest).iter().map(image).collect::<Result<_, _>>()?;
        Ok(Self { env, images, artifacts })
    }

    /// Builds the images that are not there yet, until cancelled.
    ///
    /// # Errors
    /// What could not be built.
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

    /// The command of a run, and the plan that it is given.
    ///
    /// # Errors
    /// A machine that QEMU cannot build.
    pub fn describe(&self, manifest: &Manifest, case: u16) -> Result<String, Coded> {
        let image = &self.images[&case];
        let machine = self.env.machine(manifest, case);
        let spec = guest::spec(&self.env, manifest, machine, image, Path::new("serial.log"));
        let command = spec.command().or_exit(Exit::Environment)?;
        Ok(format!("plan {}\n{command}", image.plan.digest()))
    }

    /// Makes a run.
    ///
    /// # Errors
    /// What kept it from having an outcome at all, or its files from being written.
    pub fn run(&self, run: Run<'_>) -> Result<RunRecord, Coded> {
        guest::run(&self.env, &self.images[&run.slot.item.case], run)
    }

    /// What all of them are made of.
    pub fn env(&self) -> &GuestEnv {
        &self.env
    }

    /// What the guest of a case is: its machine and what it boots.
    pub fn of_case(&self, case: u16) -> (&GuestEnv, &BootImage) {
        (&self.env, &self.images[&case])
    }

    /// What the guests are made of.
    pub fn artifacts(&self) -> &[Artifact] {
        &self.artifacts
    }
}
