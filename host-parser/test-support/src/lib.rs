//! Shared by the tests of several crates: a guest that can print anything, golden files, and a monitor of QEMU that stops
//! and continues a guest.

#![forbid(unsafe_code)]

pub mod golden;
pub mod guest;
pub mod mechanisms;
pub mod monitor;
pub mod platform;
pub mod script;
