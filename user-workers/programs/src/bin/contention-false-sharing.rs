//! Each turn increments a counter in a line with those of other workers. Parameters: the first turn, the end of the turns.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../contention/mod.rs"]
mod contention;

use contention::shared::FalseSharing;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: contention::warm_up,
    work: contention::work::<FalseSharing>,
    prepare: contention::prepare,
    verify: contention::verify::<FalseSharing>,
}
