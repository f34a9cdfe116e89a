//! What the programs under `src/bin` are made of. Each includes this file by its path: a library between them would be
//! one more place where code that was not asked for could come from.

#[allow(dead_code, reason = "each control needs one of these")]
pub mod misdeed;
#[path = "../mix.rs"]
mod mix;
pub mod primes;
pub mod runtime;
#[allow(dead_code, reason = "for the variants of `primes` that take longer")]
pub mod slowed;
mod trial;
#[allow(dead_code, reason = "for one control")]
pub mod wheel;
