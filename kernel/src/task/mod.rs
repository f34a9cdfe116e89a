//! Threads and what they may reach: handles, endpoints, notifications; the way into ring 3 and back; the calls and traps of
//! ring 3.
//!
//! The kernel is an event kernel: one stack for each CPU, no preemption, and a thread is its saved registers. Entering ring 3
//! is a function call that returns when the threads of the CPU are done ([`enter`]). Whatever a thread does, the kernel gets
//! a `harness::user::Exit`; nothing it does is a panic.
//!
//! Every object belongs to one CPU, and is used there alone (`Rc`, `Cell`), so a call takes no lock. A notification is the
//! exception: it is one atomic word.

mod calls;
mod counters;
mod ends;
mod enter;
mod faults;
mod image;
#[cfg(test)]
mod interleavings;
mod island;
mod memory;
mod notification;
mod objects;
mod post;
pub mod queue;
pub mod regions;
pub mod ring;
mod slot;
mod space;
pub mod table;
mod thread;
mod traps;
mod waits;

/// What [`slot`] and [`notification`] use of atomics, which their tests replace.
mod atomic {
    pub use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
}

pub use calls::{at_once, may_switch};
pub use counters::Counters;
pub use enter::{RunLimits, enter, resume};
pub use image::Image;
pub use island::Island;
pub use memory::Memory;
pub use notification::Notification;
pub use objects::{Endpoint, Named};
pub use post::Post;
pub use space::Space;
pub use table::Table;
pub use thread::{State, Thread};
pub use traps::on_trap;
