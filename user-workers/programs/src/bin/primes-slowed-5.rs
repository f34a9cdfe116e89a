//! `primes`, with 5 percent more to do for the same answer.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

use worker::primes::{self, slowed};
use worker::runtime::{Call, Outcome};

worker::runtime::worker!(primes::warm_up, work);

fn work(call: &Call) -> Outcome {
    slowed::work::<5>(call)
}
