//! Ring 3: a worker's address space, the way in, and its traps.
//!
//! Entering a worker is a function call that returns how the worker came back ([`enter`]). Whatever a worker does, the
//! kernel gets a `harness::user::Exit`; nothing it does is a panic.

mod enter;
mod space;
mod tables;
mod traps;

pub use enter::{Entry, RunLimits, enter};
pub use space::AddressSpace;
pub use traps::on_trap;
