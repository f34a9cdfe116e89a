//! The Assay kernel, without its entry point.
//!
//! It boots, starts every CPU that the MADT lists, runs ring-3 workers by a plan from the ramdisk, prints records on
//! the serial port, and powers the machine off. The course of an experiment is `harness`'s, which the Linux twin runs
//! too. Principles:
//!
//! - Every wait has a bound. A device or CPU that does not answer is reported, and the run goes on without it.
//! - Nothing prints, allocates, takes a lock or takes an interrupt in a timed region. The one exception is the timer
//!   that ends a worker which does not return.
//! - A worker's mistakes are records. Only the kernel's own are panics.
//! - Firmware's tables, the ramdisk and the plan are input: read as bytes, checked, never trusted with a length.
//! - Logic that needs no hardware takes `&[u8]` or plain values, and is tested on the host.
//! - Unsafe code is denied here and allowed, with the reason, at the head of each file that needs it.

#![cfg_attr(not(test), no_std)]
#![deny(unsafe_code)]

extern crate alloc;

pub mod bench;
pub mod boot;
pub mod checks;
pub mod clock;
pub mod command;
pub mod console;
pub mod control;
pub mod costs;
pub mod cpu;
pub mod display;
pub mod firmware;
pub mod machine;
pub mod mechanism;
pub mod mem;
pub mod panic;
pub mod platform;
pub mod power;
#[cfg(test)]
mod rooms_tests;
pub mod settings;
pub mod shutdown;
pub mod smp;
pub mod task;
pub mod trap;
pub mod user;
pub mod x86;
