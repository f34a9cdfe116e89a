//! `primes`, with 10 percent more to do for the same answer.
#![no_std]
#![no_main]

#[path = "../worker/mod.rs"]
mod worker;

use worker::runtime::{Call, Outcome};
use worker::{primes, slowed};

worker::runtime::worker!(primes::warm_up, work);

fn work(call: &Call) -> Outcome {
    slowed::work::<10>(call)
}
