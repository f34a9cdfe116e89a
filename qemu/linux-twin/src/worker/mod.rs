//! A worker as a process: its address space, the way in, what comes out, and the team of a case.
//!
//! The counterpart of the kernel's `user` and of its teams. The addresses are the kernel's, so that the same code at
//! the same addresses meets the same sets of the caches. A worker's process differs from any other in three things: it
//! is pinned, its memory is locked and was touched, and a filter refuses the syscalls of the worker's own code.

mod call;
mod child;
mod filter;
mod map;
mod shared;
mod slot;
mod space;
mod team;
mod traps;

pub use team::Team;
