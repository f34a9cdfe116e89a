//! The rows of the matrix. Each row states only how it differs from the plainest machine of its kind.

mod machines;
mod tables;

use crate::case::Case;

/// All rows that QEMU boots.
pub fn all() -> impl Iterator<Item = &'static Case> {
    machines::CASES.iter().chain(tables::CASES)
}
