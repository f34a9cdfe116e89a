//! The workloads as the host knows them, and the reference answer of each.
//!
//! This library works out what a worker should have answered, by another method than the worker uses, and splits a whole
//! between workers. The workers themselves are the programs of the package beside this one; none of them links it.
#![forbid(unsafe_code)]

#[path = "../../programs/src/mix.rs"]
mod mix;
#[path = "workload.rs"]
pub mod reference;

/// The very file that the workers are built from, for the tests.
#[cfg(test)]
#[path = "../../programs/src/primes/trial.rs"]
mod trial;
