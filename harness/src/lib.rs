//! The part of an experiment that the kernel and its Linux twin run alike: the driver, and all it needs that is not a
//! system's own.
//!
//! Two systems are compared, so everything that is not compared must be the same code in both: the order of the cases, the
//! rendezvous of the workers, the pace checks, the order of the records, the reader of a worker's ELF and the layout of
//! its address space. [`run()`] is the driver. A system supplies a [`Backend`], which runs one team of workers.
//!
//! This crate does no I/O, uses no operating system and needs only an allocator. It depends on `abi` alone, and all of it
//! is tested on the host. Unsafe code is denied here and allowed, with the reason, at the head of each file that needs it.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod agenda;
pub mod backend;
pub mod blob;
pub mod build_id;
pub mod chunks;
pub mod clock;
pub mod conditions;
pub mod emit;
pub mod le;
pub mod mechanism;
pub mod order;
pub mod outcome;
pub mod pace;
pub mod phases;
pub mod platform;
pub mod registers;
pub mod rendezvous;
pub mod run;
pub mod sampler;
pub mod sink;
pub mod srat;
pub mod table;
pub mod user;
pub mod warm_up;
pub mod warp;
pub mod watch;
pub mod x86;

pub use backend::{Backend, Interrupted, TeamReport};
pub use run::{Site, Summary, cpu_count, run};
pub use sink::Sink;
