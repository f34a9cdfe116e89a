//! Reads and updates records in hash tables. Parameters: the first store, the end of the stores, records, updates of 256.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../kv/mod.rs"]
mod kv;

extern crate alloc;

use kv::hash::Hash;
use worker::heap::Heap;
use worker::runtime::{Call, Outcome};
use worker::space::Space;
use worker::state::State;

#[global_allocator]
static HEAP: Heap = Heap::empty();

static STORES: State<kv::Stores<Hash>> = State::none();

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: kv::warm_up,
    work: work,
    prepare: prepare,
}

fn prepare(call: &Call, space: &mut Space<'_>) {
    kv::prepare(&STORES, &HEAP, call, space);
}

fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    kv::work(&STORES, call, space)
}
