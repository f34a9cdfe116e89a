//! Multiplies matrices. Parameters: the first product, the end of the products, the order.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../dgemm/mod.rs"]
mod dgemm;

use worker::heap::Heap;
use worker::runtime::Call;
use worker::space::Space;

#[global_allocator]
static HEAP: Heap = Heap::empty();

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: dgemm::warm_up,
    work: dgemm::work,
    prepare: prepare,
    verify: dgemm::verify,
}

fn prepare(call: &Call, space: &mut Space<'_>) {
    dgemm::prepare(&HEAP, call, space);
}
