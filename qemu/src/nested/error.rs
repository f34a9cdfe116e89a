//! Why a program was not run in an L1 guest.

use crate::file_error::FileError;
use crate::linux::LinuxError;

/// Why a program was not run in an L1 guest.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NestedError {
    /// A file that L1 needs cannot be read, or its initramfs cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
    /// A program that is needed here failed.
    #[error("{doing}: {detail}")]
    Helper {
        /// What it was run for.
        doing: String,
        /// Its result.
        detail: String,
    },
    /// A word of the job cannot be handed over.
    #[error("{value:?}: a word, variable or path with a line end cannot be handed to L1")]
    LineEnd {
        /// The word.
        value: String,
    },
    /// There is no kernel for L1.
    #[error(transparent)]
    Kernel(#[from] LinuxError),
}
