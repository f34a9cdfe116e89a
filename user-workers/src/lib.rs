//! The workloads, and the reference answer of each.
//!
//! This library is the host's side: it works out what a worker should have answered, by another method than the worker
//! uses, and splits a whole between workers. The workers themselves are the programs under `src/bin`; none of them
//! links this library.
#![forbid(unsafe_code)]

mod mix;
pub mod reference;

/// The very file that the workers are built from, for the tests.
#[cfg(test)]
#[path = "worker/trial.rs"]
mod trial;
