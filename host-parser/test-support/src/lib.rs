//! What the tests of several crates share: a guest that can be made to print anything, and golden files.

#![forbid(unsafe_code)]

pub mod golden;
pub mod guest;
pub mod script;
