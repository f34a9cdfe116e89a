//! A worker as a process: its address space, the way in, how it comes back, and the team of an iteration.
//!
//! This is the counterpart of the kernel's `user` and `bench`. The layout is `harness`'s, so that the same code at the
//! same addresses meets the same cache sets. A worker's process differs from any other in three things: it is pinned, its
//! memory is locked and prefaulted, and a filter refuses the syscalls of the worker's own code.

pub mod call;
mod child;
mod filter;
pub mod map;
mod shared;
mod slot;
mod space;
mod team;
pub mod traps;

pub use map::Region;
pub use shared::Shared;
pub use slot::{End, Slot, Step};
pub use space::{Pages, bytes_of, lay_out, lay_out_corpus};
pub use team::{Limits, Team};
