//! `primes`, with the right answer and digest but fewer divisions than it was asked for.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

use worker::primes::{self, wheel};
use worker::runtime::{Call, Outcome};

worker::runtime::worker!(primes::warm_up, work);

fn work(call: &Call) -> Outcome {
    if call.does_wrong { wheel::work(call) } else { primes::work(call) }
}
