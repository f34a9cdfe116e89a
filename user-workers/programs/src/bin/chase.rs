//! Walks through a working set by dependent loads. Parameters: the first load, the end of the loads, KiB.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../chase/mod.rs"]
mod chase;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: chase::warm_up,
    work: chase::work,
    prepare: chase::prepare,
}
