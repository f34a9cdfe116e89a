//! Shared by the tests of several crates: a guest that can print anything, and golden files.

#![forbid(unsafe_code)]

pub mod golden;
pub mod guest;
pub mod platform;
pub mod script;
