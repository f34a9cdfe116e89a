//! The Linux guest: the same machine as for our kernel, with a Linux kernel and the Linux twin as the first process.

use std::path::Path;

use anyhow::{Context, anyhow};
use experiment::manifest::Manifest;
use qemu::BootMedium;
use qemu::linux::{KERNEL_VARIABLE, LinuxKernel, Origin, SetUp, initramfs, medium};
use results::Artifact;

use super::SystemsSpec;
use super::guests::Guests;
use super::twin::Twin;
use crate::boot_image::{Archive, BootImage};
use crate::console;
use crate::exit::{Coded, Exit, OrExit};
use crate::guest_env::GuestEnv;
use crate::places::Places;

/// The least memory of a Linux guest. With 64 MiB, Linux 6.1 with our initramfs dies before its console is up and
/// prints nothing.
const MIN_MEMORY_MIB: u32 = 128;

/// The guests of a Linux row.
///
/// # Errors
/// The machine has too little memory, the Linux kernel or the twin is missing, or a plan cannot be written.
pub fn guests(
    spec: &SystemsSpec,
    env: &GuestEnv,
    manifest: &Manifest,
    store: &Path,
    set_up: SetUp,
) -> Result<Guests, Coded> {
    let memory_mib = manifest.machine().memory_mib;
    if memory_mib < MIN_MEMORY_MIB {
        let path = manifest.path().display();
        let error =
            anyhow!("{path}: memory-mib = {memory_mib}: the Linux guest needs at least {MIN_MEMORY_MIB} MiB");
        return Err(error).or_exit(Exit::Unsupported);
    }
    let twin = Twin::find(&spec.twin)?;
    let kernel = find_kernel(spec.fetch)?;
    let artifacts = vec![kernel_artifact(&kernel), twin.artifact(), env.worker()];
    Guests::new(env.clone(), manifest, artifacts, |env, case| {
        let plan = env.plan(manifest, &[case])?;
        let archive = initramfs(&twin.bytes, &env.ramdisk(&plan)).or_exit(Exit::Environment)?;
        let archive = Archive::new(archive, store, ".cpio");
        // A guest has a CPU for each worker of its case.
        let mut medium = medium(&kernel, &archive.path, set_up, case, env.vmm.kind);
        if let (Some([_, words]), BootMedium::Kernel { append, .. }) = (env.stay_words(), &mut medium) {
            append.push_str(&words);
        }
        // We do not build Linux, so no build ID is expected: the runs need only agree with each other.
        Ok(BootImage { plan, build: None, medium, archive, disk: None })
    })
}

/// The kernel that the user names, else the distribution's. If that one is missing, downloads it if `fetch` is set.
fn find_kernel(fetch: bool) -> Result<LinuxKernel, Coded> {
    let store = &Places::here().linux();
    let shown = store.display();
    if let Some(kernel) = LinuxKernel::at_hand(store).context(KERNEL_VARIABLE).or_exit(Exit::Environment)? {
        return Ok(kernel);
    }
    if !fetch {
        let error = anyhow!(
            "no Linux kernel in {shown}; start a run, which fetches the distribution's, or set {KERNEL_VARIABLE} to the \
             path of any bzImage"
        );
        return Err(error).or_exit(Exit::Environment);
    }
    console::note(&format!("fetching the distribution's Linux kernel into {shown}"));
    LinuxKernel::fetch(store).or_exit(Exit::Environment)
}

fn kernel_artifact(kernel: &LinuxKernel) -> Artifact {
    let release = kernel.release.as_deref().unwrap_or("of unknown release");
    let origin = match &kernel.origin {
        Origin::Given { by } => format!("given by {by}"),
        Origin::Distribution { package, version } => format!("{package} {version}"),
    };
    Artifact {
        name: format!("linux {release} ({origin})"),
        sha256: kernel.sha256.clone(),
        bytes: kernel.bytes,
    }
}
