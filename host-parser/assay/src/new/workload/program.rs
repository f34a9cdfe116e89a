//! NAME: how many steps numbers take to reach 1, if an even one is halved and an odd one is tripled and increased.
//!
//! An item is a number. Its answer is the number of steps, which is also its work; its digest is the largest number on the
//! way.
#![no_std]
#![no_main]

mod worker;

use worker::{Args, Outcome};

/// The numbers of a warm-up call: few, since it is repeated until the CPU has its speed.
const WARM_UP_ITEMS: u64 = 100;

/// What is measured.
fn work(args: &Args) -> Outcome {
    let [first, end, ..] = args.params;
    let mut outcome = Outcome::default();
    for number in first..end {
        let (steps, largest) = steps_to_one(number);
        outcome.add(args, steps, steps, largest);
    }
    outcome
}

fn steps_to_one(number: u64) -> (u64, u64) {
    let (mut at, mut steps, mut largest) = (number, 0, number);
    while at != 1 {
        at = if at % 2 == 0 { at / 2 } else { 3 * at + 1 };
        largest = largest.max(at);
        steps += 1;
    }
    (steps, largest)
}

/// The entry point: a system calls it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn _start(args: *const Args, slot: *mut u64) {
    // SAFETY: a system calls this, with what `run` asks for.
    unsafe { worker::run(args, slot, WARM_UP_ITEMS, work) }
}
