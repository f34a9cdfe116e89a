//! A worker's address space: what is in it, and its page tables.

mod space;
mod tables;

pub use space::{AddressSpace, rights};
pub use tables::{BORROWED, Tables};
