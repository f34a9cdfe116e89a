//! Exact gates: instruction counts of a guest whose run repeats bit by bit, and the lock file that they are compared with.
//!
//! The unit is "instructions (TCG)": what QEMU's translator counts. It is no time. It bounds the length of a path, and says
//! nothing about caches, walks of page tables, exits or locks, which cost nothing there (docs/EXACT.md).
//!
//! This crate only computes. It takes the bytes that a guest printed, the count at each of them, and for our own kernel its
//! records; how the guest was run is not known here.
#![forbid(unsafe_code)]

mod compare;
mod lock;
mod printed;
mod row;

pub use compare::{Difference, compare};
pub use lock::{Lock, LockError, LockedRow, Subject};
pub use printed::{Printed, Span, SpanError};
pub use row::{Row, of_records};
