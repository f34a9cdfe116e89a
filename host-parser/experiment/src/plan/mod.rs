//! What a kernel is given: the plan's text, and the ramdisk that it and the workers come in.
//!
//! Owns the way from a [`Manifest`](crate::manifest::Manifest) and a worker's bytes to those of the ramdisk. The same
//! input gives the same bytes, so that a plan's digest names an experiment. The format itself is `abi`'s, and whatever
//! is written here has been read back by `abi` before it is handed out.

mod blob;
mod ramdisk;
#[cfg(test)]
mod tests;
mod text;

pub use blob::{BlobError, WorkerBlob};
pub use ramdisk::{ramdisk, ramdisk_with};
pub use text::{PlanBytes, PlanError, PlanOptions};
