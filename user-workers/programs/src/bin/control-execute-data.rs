//! `primes`, that first calls into its writable data.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

use worker::runtime::{Call, Outcome};
use worker::{misdeed, primes};

worker::runtime::worker!(primes::warm_up, work);

fn work(call: &Call) -> Outcome {
    if call.does_wrong {
        misdeed::execute_data();
    }
    primes::work(call)
}
