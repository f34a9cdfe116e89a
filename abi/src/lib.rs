//! The contract between separately compiled programs: the kernel, the workers, the Linux twin and the host tool.
//!
//! Owns the serial records ([`wire`]), the kernel's plan ([`plan`]), the ramdisk that holds it ([`ramdisk`]), the
//! calling convention of a worker ([`worker`], [`grant`], [`syscall`]), the objects of the kernel as ring 3 sees
//! them ([`object`], [`ring`]), the stubs and the tasks of the mechanism rows ([`stub`], [`task`]) and the exit values of a guest
//! ([`exit`]). Each key, number and layout is defined here and nowhere else; docs/PROTOCOL.md is tested against it.
//!
//! Refuses to allocate, to do I/O and to contain `unsafe`: a worker has neither heap nor operating system, and links
//! this crate too.

#![no_std]
#![forbid(unsafe_code)]

#[cfg(feature = "schema")]
extern crate alloc;

pub mod checks;
pub mod command;
pub mod config;
pub mod control;
pub mod digest;
pub mod exception;
pub mod exit;
pub mod grant;
pub mod ids;
pub mod object;
pub mod pace;
pub mod plan;
pub mod ramdisk;
pub mod random;
pub mod ring;
pub mod series;
pub mod stub;
pub mod sweep;
pub mod syscall;
pub mod task;
pub mod tsc;
pub mod watch;
pub mod wire;
pub mod worker;

pub use digest::Digest;
pub use ids::{ApicId, CpuId};
