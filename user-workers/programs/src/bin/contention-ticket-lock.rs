//! Each turn takes a ticket lock. Parameters: the first turn, the end of the turns.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../contention/mod.rs"]
mod contention;

use contention::shared::TicketLock;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: contention::warm_up,
    work: contention::work::<TicketLock>,
    prepare: contention::prepare,
    verify: contention::verify::<TicketLock>,
}
