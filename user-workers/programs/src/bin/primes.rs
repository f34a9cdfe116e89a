//! Counts primes by trial division. Parameters: the first candidate, and the end of the candidates.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

worker::worker!(worker::primes::warm_up, worker::primes::work);
