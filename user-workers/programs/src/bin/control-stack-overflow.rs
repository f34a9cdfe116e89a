//! `primes`, that uses up its stack instead.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

use worker::runtime::{Call, Outcome};
use worker::{misdeed, primes};

worker::runtime::worker!(primes::warm_up, work);

fn work(call: &Call) -> Outcome {
    if call.does_wrong {
        misdeed::stack_overflow()
    }
    primes::work(call)
}
