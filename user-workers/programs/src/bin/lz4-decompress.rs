//! Decompresses blocks of the corpus. Parameters: the first block, and the end of the blocks.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[allow(dead_code, reason = "each program uses one direction")]
#[path = "../lz4/mod.rs"]
mod lz4;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: lz4::warm_up,
    work: lz4::decompress,
    prepare: lz4::prepare_decompress,
    verify: lz4::verify_decompress,
}
