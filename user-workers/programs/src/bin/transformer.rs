//! Makes sequences of tokens. Parameters: the first sequence, the end of the sequences, the tokens of each.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../transformer/mod.rs"]
mod transformer;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: transformer::warm_up,
    work: transformer::work,
    prepare: transformer::prepare,
}
