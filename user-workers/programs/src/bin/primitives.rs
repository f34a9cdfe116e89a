//! The tasks of the mechanism rows. docs/MECHANISMS.md describes them.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../primitives/mod.rs"]
mod primitives;

worker::memory_functions!("", "../mem.s");
