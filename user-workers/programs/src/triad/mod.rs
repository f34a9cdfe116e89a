//! `triad`: the triad of STREAM over three arrays that change roles.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod arrays;

use abi::worker::Phase;

use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::views::part;
use arrays::{Arrays, space as room};

/// The elements and the rounds of a warm-up call. It has arrays of its own, since every round changes them.
const WARM_UP_ELEMENTS: usize = 512;
const WARM_UP_ROUNDS: u64 = 3;

/// The bytes that a round moves for each element.
const BYTES: u64 = 24;

/// The parameters of the warm-up call.
pub fn warm_up([first, end, rounds, _]: [u64; 4]) -> [u64; 4] {
    [first, end, rounds.min(WARM_UP_ROUNDS), 0]
}

/// Fills the arrays.
pub fn prepare(call: &Call, space: &mut Space<'_>) {
    let [first, ..] = call.params;
    arrays(call, space.memory).fill(first);
    warm_up_arrays(call, space.memory).fill(0);
}

/// Goes through the rounds.
pub fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [_, _, rounds, _] = call.params;
    match space.phase {
        Phase::WarmUp => warm_up_arrays(call, space.memory).rounds(rounds),
        _ => arrays(call, space.memory).rounds(rounds),
    }
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// The digest of the array that the last round wrote.
pub fn verify(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, rounds, _] = call.params;
    let digest = arrays(call, space.memory).digest(first, rounds);
    let work = end.saturating_sub(first) * rounds;
    Outcome { answer: work * BYTES, work, digest: bind(digest, call.challenge) }
}

fn arrays<'a>(call: &Call, memory: &'a mut [u64]) -> Arrays<'a> {
    let [first, end, ..] = call.params;
    let elements = end.saturating_sub(first) as usize;
    let (memory, _) = part(memory, room(elements));
    Arrays::new(memory, elements).expect("room for the arrays")
}

/// The arrays of the warm-up, behind those of the work.
fn warm_up_arrays<'a>(call: &Call, memory: &'a mut [u64]) -> Arrays<'a> {
    let [first, end, ..] = call.params;
    let (_, rest) = part::<f64>(memory, room(end.saturating_sub(first) as usize));
    let (memory, _) = part(rest, room(WARM_UP_ELEMENTS));
    Arrays::new(memory, WARM_UP_ELEMENTS).expect("room for the arrays")
}
