//! The Linux guest of the twin experiment: a kernel, an initramfs with the twin and the ramdisk, a command line.
//!
//! What is in the ramdisk, and what the twin prints, is none of this crate's business: it puts files where they have to
//! be. Fetches nothing by itself: the distribution's package tools do, and check what they fetch.

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

use crate::BootMedium;

/// What Linux does about the CPU's known leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mitigations {
    /// What it does by default.
    Default,
    /// Nothing: a row apart, and labelled.
    Off,
}

impl Mitigations {
    /// The kernel's command line: all defaults but for the console, and an end where Linux panics.
    #[must_use]
    pub const fn command_line(self) -> &'static str {
        match self {
            Self::Default => "console=ttyS0 quiet panic=-1",
            Self::Off => "console=ttyS0 quiet panic=-1 mitigations=off",
        }
    }
}

/// What a guest boots: `kernel` with `initramfs`, a file that [`initramfs()`] made.
#[must_use]
pub fn medium(kernel: &LinuxKernel, initramfs: &Path, mitigations: Mitigations) -> BootMedium {
    BootMedium::Kernel {
        kernel: kernel.path.clone(),
        initrd: Some(initramfs.to_owned()),
        append: mitigations.command_line().to_owned(),
    }
}
