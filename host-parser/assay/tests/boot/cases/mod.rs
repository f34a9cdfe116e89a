//! The rows of the matrix. A row says what is unlike the plainest machine of its kind; the rest is that one's.

mod machines;
mod tables;

use crate::case::Case;

/// All rows that QEMU boots.
pub fn all() -> impl Iterator<Item = &'static Case> {
    machines::CASES.iter().chain(tables::CASES)
}
