//! What the tests share: a guest that can be made to print anything, and golden files.

// Each test program uses its own part of this.
#![allow(dead_code, reason = "each test program uses its own part")]

pub mod golden;
pub mod guest;
pub mod script;
