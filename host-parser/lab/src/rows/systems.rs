//! The rows that `--systems` names: our kernel, the Linux guest, processes of the host.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use experiment::manifest::{Boot, Manifest};
use qemu::linux::Mitigations;
use results::System;

use super::guests::Guests;
use super::linux;
use super::processes::Processes;
use super::{Row, Runner};
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;

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

/// Prepares a row for each system; their files are to be in `store`.
///
/// # Errors
/// A system that is named twice, or that would be another row again, and whatever one lacks.
pub fn of_systems(
    spec: &SystemsSpec,
    manifest: &Manifest,
    env: &GuestEnv,
    store: &Path,
) -> Result<Vec<Row>, Coded> {
    let mut systems = spec.systems.clone();
    systems.sort_unstable();
    if let Some(pair) = systems.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(anyhow!("--systems: {} is named twice", pair[0])).or_exit(Exit::Usage);
    }
    if systems.contains(&System::AssayBios) && env.boot() != Boot::Direct {
        let boot = env.boot_word();
        let error = anyhow!("--systems: assay-bios is for manifests with boot = \"direct\", not \"{boot}\"");
        return Err(error).or_exit(Exit::Usage);
    }
    systems.into_iter().map(|system| row(system, spec, manifest, env, store)).collect()
}

fn row(
    system: System,
    spec: &SystemsSpec,
    manifest: &Manifest,
    env: &GuestEnv,
    store: &Path,
) -> Result<Row, Coded> {
    let runner = match system {
        System::Assay => Runner::Guests(Guests::ours(env.clone(), manifest, store)?),
        System::AssayBios => Runner::Guests(Guests::ours(env.by_bios(), manifest, store)?),
        System::Linux => Runner::Guests(linux::guests(spec, env, manifest, store, Mitigations::Default)?),
        System::LinuxMitigationsOff => {
            Runner::Guests(linux::guests(spec, env, manifest, store, Mitigations::Off)?)
        }
        System::Native => Runner::Processes(Processes::prepare(&spec.twin, env, manifest, store)?),
    };
    Ok(Row::of(system, runner))
}
