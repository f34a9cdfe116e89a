//! `primes` with 10 percent more work for the same answer.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::worker!(worker::primes::warm_up, worker::primes::slowed::work::<10>);
