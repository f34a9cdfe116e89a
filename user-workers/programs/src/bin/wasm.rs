//! Runs rounds of a WebAssembly module by an interpreter. Parameters: the first round, the end of the rounds.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../wasm/mod.rs"]
mod wasm;

use worker::heap::Heap;
use worker::runtime::{Call, Outcome};
use worker::space::Space;
use worker::state::State;

#[global_allocator]
static HEAP: Heap = Heap::empty();

static MACHINE: State<wasm::Machine> = State::none();

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: wasm::warm_up,
    work: work,
    prepare: prepare,
}

fn prepare(_: &Call, space: &mut Space<'_>) {
    wasm::prepare(&MACHINE, &HEAP, space);
}

fn work(call: &Call, _: &mut Space<'_>) -> Outcome {
    wasm::work(&MACHINE, call)
}
