//! The rows that `--systems` names: our kernel, a Linux guest, or host processes.

use std::path::{Path, PathBuf};

use anyhow::anyhow;
use experiment::manifest::{Boot, Manifest};
use qemu::VmmKind;
use qemu::linux::SetUp;
use results::System;

use super::guests::Guests;
use super::linux;
use super::processes::Processes;
use super::{Row, Runner};
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;

/// The systems of a session, and what they need in addition to a [`GuestEnv`].
#[derive(Clone, Debug)]
pub struct SystemsSpec {
    /// The systems.
    pub systems: Vec<System>,
    /// The path of the Linux twin.
    pub twin: PathBuf,
    /// Whether a missing Linux kernel may be downloaded.
    pub fetch: bool,
}

/// Prepares a row for each system, with its images and ramdisks in `store`.
///
/// # Errors
/// A system is named twice, `assay-bios` would repeat the row `assay`, or a row lacks a file.
pub fn of_systems(
    spec: &SystemsSpec,
    manifest: &Manifest,
    env: &GuestEnv,
    store: &Path,
) -> Result<Vec<Row>, Coded> {
    let mut systems = spec.systems.clone();
    systems.sort_unstable();
    if let Some(pair) = systems.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(anyhow!("--systems: {} is named twice; name each system once", pair[0]))
            .or_exit(Exit::Usage);
    }
    if systems.contains(&System::AssayBios) && env.boot() != Boot::Direct {
        let boot = env.boot_word();
        let error = anyhow!("--systems: assay-bios needs a manifest with boot = \"direct\", not \"{boot}\"");
        return Err(error).or_exit(Exit::Usage);
    }
    if systems.contains(&System::AssayBios) && env.vmm.kind != VmmKind::Qemu {
        let error = anyhow!("--systems: assay-bios needs QEMU's BIOS; {} has none", env.vmm.kind.title());
        return Err(error).or_exit(Exit::Unsupported);
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
        System::Linux => Runner::Guests(linux::guests(spec, env, manifest, store, SetUp::Default)?),
        System::LinuxMitigationsOff => {
            Runner::Guests(linux::guests(spec, env, manifest, store, SetUp::MitigationsOff)?)
        }
        System::LinuxTuned => Runner::Guests(linux::guests(spec, env, manifest, store, SetUp::Tuned)?),
        System::Native => Runner::Processes(Processes::prepare(&spec.twin, env, manifest, store)?),
    };
    Ok(Row::new(system, runner))
}
