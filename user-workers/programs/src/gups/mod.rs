//! `gups`: updates of a table at random places.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod table;

use abi::worker::Phase;

use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::views::part;
use table::{after, digest, fill, undo, update};

/// The updates of a warm-up call.
const WARM_UP_UPDATES: u64 = 1024;

/// The parameters of the warm-up call: the first updates.
pub fn warm_up([first, end, kib, _]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(WARM_UP_UPDATES)), kib, 0]
}

/// Fills the table, and steps the register to the first update.
pub fn prepare(call: &Call, space: &mut Space<'_>) {
    let [first, ..] = call.params;
    let (table, [value, _]) = table_and_notes(call, space);
    fill(table);
    *value = after(first);
}

/// Makes the updates. A warm-up takes them back.
pub fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, ..] = call.params;
    let warm_up = space.phase == Phase::WarmUp;
    let updates = end.saturating_sub(first);
    let (table, [value, even]) = table_and_notes(call, space);
    *even = update(table, *value, updates).even;
    if warm_up {
        undo(table, *value, updates);
    }
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// The digest of the table.
pub fn verify(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, ..] = call.params;
    let (table, [_, even]) = table_and_notes(call, space);
    Outcome { answer: *even, work: end.saturating_sub(first), digest: bind(digest(table), call.challenge) }
}

/// The table; the register before the first update; how many updates were of even entries.
fn table_and_notes<'a>(call: &Call, space: &'a mut Space<'_>) -> (&'a mut [u64], &'a mut [u64; 2]) {
    let [_, _, kib, _] = call.params;
    let (table, rest) = part(space.memory, kib as usize * 1024 / size_of::<u64>());
    (table, rest.first_chunk_mut().expect("room for the notes"))
}
