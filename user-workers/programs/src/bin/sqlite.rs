//! Runs statements on databases in memory by SQLite. Parameters: the first database, the end of the databases, rows.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

#[path = "../sqlite/mod.rs"]
mod sqlite;

worker::memory_functions!("", "../mem.s");

worker::worker! {
    warm_up: sqlite::warm_up,
    work: sqlite::work,
    prepare: sqlite::prepare,
}
