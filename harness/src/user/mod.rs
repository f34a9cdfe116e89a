//! A worker as both systems see it: its ELF, its place in an address space, and how it comes back.

pub mod elf;
mod exit;
pub mod layout;

pub use exit::{Counts, Exit, Fault};
