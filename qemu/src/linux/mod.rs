//! The Linux guest of the twin experiment: a kernel, an initramfs with the twin and the ramdisk, a command line.
//!
//! This crate interprets neither the ramdisk nor the twin's output. The distribution's package tools fetch the kernel and
//! check its signature.

mod apt;
mod bzimage;
mod error;
mod initramfs;
mod kernel;

pub use bzimage::{BzImage, BzImageError};
pub use error::LinuxError;
pub use initramfs::initramfs;
pub use kernel::{KERNEL_VARIABLE, LinuxKernel, Origin};

use std::path::Path;

use serde::Serialize;

use crate::{BootMedium, VmmKind};

/// Linux's mitigations of CPU vulnerabilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mitigations {
    /// Linux's default.
    Default,
    /// None. A guest with this setting is a separate, labelled row.
    Off,
}

impl Mitigations {
    /// The kernel's command line: defaults except for the console, and a reset at once if Linux panics.
    #[must_use]
    pub const fn command_line(self) -> &'static str {
        match self {
            Self::Default => "console=ttyS0 quiet panic=-1",
            Self::Off => "console=ttyS0 quiet panic=-1 mitigations=off",
        }
    }
}

/// The words that make the twin end the VM by what a VMM without isa-debug-exit ends with. Linux hands `assay_after` to its
/// first process as an environment variable (Documentation/admin-guide/kernel-parameters.rst), and `reboot=k` resets by the
/// keyboard controller, the one way that Firecracker has.
const fn ending(vmm: VmmKind) -> &'static str {
    match vmm {
        VmmKind::Qemu => "",
        VmmKind::Firecracker => " reboot=k assay_after=reboot",
        VmmKind::CloudHypervisor => " assay_after=poweroff",
    }
}

/// The boot medium of a Linux guest of `vmm`: `kernel` with `initramfs`, a file that [`initramfs()`] made.
#[must_use]
pub fn medium(kernel: &LinuxKernel, initramfs: &Path, mitigations: Mitigations, vmm: VmmKind) -> BootMedium {
    BootMedium::Kernel {
        kernel: kernel.path.clone(),
        initrd: Some(initramfs.to_owned()),
        append: format!("{}{}", mitigations.command_line(), ending(vmm)),
    }
}
