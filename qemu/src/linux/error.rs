//! Why there is no Linux guest.

use std::path::PathBuf;

use super::{BzImageError, KERNEL_VARIABLE};
use crate::file_error::FileError;

/// Why there is no Linux guest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinuxError {
    /// A file cannot be read or written.
    #[error(transparent)]
    File(#[from] FileError),
    /// The file is no kernel that QEMU can boot.
    #[error("{}: {source}", .path.display())]
    BzImage {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: BzImageError,
    },
    /// The distribution's kernel cannot be fetched.
    #[error("no Linux kernel: {doing}: {detail}; set {KERNEL_VARIABLE} to the path of any bzImage")]
    Fetch {
        /// The command.
        doing: String,
        /// Its result.
        detail: String,
    },
    /// The distribution's package has no modules for KVM.
    #[error("{}: its package has no modules {modules}, which make it a host of KVM", .path.display())]
    NoModules {
        /// The kernel.
        path: PathBuf,
        /// The modules.
        modules: String,
    },
    /// The twin cannot be a guest's first process.
    #[error("the twin is {what}, expected a static x86-64 program; `make twin` builds it")]
    Twin {
        /// What it is.
        what: &'static str,
    },
    /// A file is too large for the archive's format.
    #[error("{name}: {bytes} bytes are too many for an initramfs")]
    TooLarge {
        /// The file's name in the archive.
        name: &'static str,
        /// Its length.
        bytes: usize,
    },
}
