//! `primes`, whose answer is one too high.
#![no_std]
#![no_main]

#[path = "../worker.rs"]
mod worker;

use worker::primes;
use worker::runtime::{Call, Outcome};

worker::runtime::worker!(primes::warm_up, work);

fn work(call: &Call) -> Outcome {
    let mut outcome = primes::work(call);
    outcome.answer += u64::from(call.does_wrong);
    outcome
}
