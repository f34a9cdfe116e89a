//! The plan's text, and the ramdisk with the plan and the workers' programs.
//!
//! Owns the way from a [`Manifest`](crate::manifest::Manifest) and a program's bytes to the ramdisk's bytes. The same input
//! gives the same bytes, so a plan's digest identifies an experiment. `abi` defines the format and reads back all that is
//! written here before it is used.

mod blob;
mod corpus;
mod ramdisk;
#[cfg(test)]
mod tests;
mod text;

pub use blob::{BlobError, WorkerBlob};
pub use corpus::{CorpusFile, SEED as CORPUS_SEED};
pub use ramdisk::{ramdisk, ramdisk_with};
pub use text::{PlanBytes, PlanError, PlanOptions};
