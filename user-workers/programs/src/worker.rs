//! The parts that every program is made of. Each file in `src/bin` includes this one by its path: a library between
//! them could add code to a program that its source does not show.
//!
//! A program uses some of this and leaves the rest, hence `dead_code`.

#[allow(dead_code, unused_macros, unused_imports, reason = "for the controls")]
pub mod control;
#[allow(dead_code, reason = "each control uses one of these")]
pub mod misdeed;
#[allow(dead_code, reason = "each build of it uses some of this")]
pub mod primes;
pub mod runtime;
#[allow(dead_code, reason = "for workers with more than a stack")]
pub mod space;

#[allow(unused_imports, reason = "for the controls")]
pub(crate) use control::control;
/// The workload whose task the controls are given, as the registry has it.
#[allow(unused_imports, reason = "for the controls")]
pub use primes as subject;
#[allow(unused_imports, reason = "the controls use it by way of `control`")]
pub(crate) use runtime::worker;
