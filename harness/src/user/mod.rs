//! A worker as both systems see it: its ELF, what it is granted, its place in an address space, and how it comes back.

pub mod elf;
mod exit;
pub mod layout;
mod program;

pub use exit::{Counts, Exit, Fault};
pub use program::{Corpus, Program};
