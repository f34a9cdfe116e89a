//! Updates a table at random places. Parameters: the first update, the end of the updates, KiB.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../gups/mod.rs"]
mod gups;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: gups::warm_up,
    work: gups::work,
    prepare: gups::prepare,
    verify: gups::verify,
}
