//! One CPU as this kernel keeps it: its own data, what it does while idle, the registers that a trap found, and the
//! registers that may be missing.

pub mod counters;
pub mod idle;
mod machine_check;
pub mod microcode;
mod per_cpu;
pub mod probe;
pub mod registers;
mod signal;
mod steal;
mod strays;
mod thread_frame;
mod trap_frame;
mod worker_state;
pub mod xstate;

pub use machine_check::ErrorBank;
pub use per_cpu::{Fate, Job, PerCpu};
pub use signal::Signal;
pub use steal::is_available as has_steal_account;
pub use strays::{Counted, Strays};
pub use thread_frame::ThreadFrame;
pub use trap_frame::TrapFrame;
pub use worker_state::WorkerState;
