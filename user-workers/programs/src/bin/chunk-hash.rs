//! Hashes chunks of the corpus. Parameters: the first chunk, and the end of the chunks.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../chunk_hash/mod.rs"]
mod chunk_hash;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: chunk_hash::warm_up,
    work: chunk_hash::work,
}
