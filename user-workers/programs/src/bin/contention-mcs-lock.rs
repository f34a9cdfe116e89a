//! Each turn takes an MCS lock. Parameters: the first turn, the end of the turns.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../contention/mod.rs"]
mod contention;

use contention::shared::McsLock;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: contention::warm_up,
    work: contention::work::<McsLock>,
    prepare: contention::prepare,
    verify: contention::verify::<McsLock>,
}
