//! What the programs under `src/bin` are made of. Each includes this file by its path: a library between them would be
//! one more place where code that was not asked for could come from.

#[allow(dead_code, reason = "each control needs one of these")]
pub mod misdeed;
mod mix;
pub mod primes;
pub mod runtime;
