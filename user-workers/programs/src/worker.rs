//! The parts that every program is made of. Each file in `src/bin` includes this one by its path: a library between
//! them could add code to a program that its source does not show.
//!
//! A program uses some of this and leaves the rest, hence `dead_code`.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

#[allow(dead_code, unused_macros, unused_imports, reason = "for the controls")]
pub mod control;
#[allow(dead_code, reason = "for workloads that make digests of bytes or chunks")]
pub mod digest;
#[allow(dead_code, reason = "for programs that allocate")]
pub mod heap;
#[allow(unused_macros, reason = "for programs with slices or a heap")]
mod mem;
#[allow(dead_code, reason = "each control uses one of these")]
pub mod misdeed;
#[allow(dead_code, unused_imports, reason = "each build of it uses some of this")]
pub mod primes;
pub mod runtime;
#[allow(dead_code, reason = "for workers with more than a stack")]
pub mod space;
#[allow(dead_code, reason = "for workers that keep more than plain memory")]
pub mod state;
#[allow(dead_code, reason = "for workers with memory")]
pub mod views;

#[allow(unused_imports, reason = "for the controls")]
pub(crate) use control::control;
#[allow(unused_imports, reason = "for programs with slices or a heap")]
pub(crate) use mem::memory_functions;
/// The workload whose task the controls are given, as the registry has it.
#[allow(unused_imports, reason = "for the controls")]
pub use primes as subject;
#[allow(unused_imports, reason = "the controls use it by way of `control`")]
pub(crate) use runtime::worker;
