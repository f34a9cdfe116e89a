//! Adds one array and a multiple of another. Parameters: the first element, the end of the elements, rounds.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../triad/mod.rs"]
mod triad;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: triad::warm_up,
    work: triad::work,
    prepare: triad::prepare,
    verify: triad::verify,
}
