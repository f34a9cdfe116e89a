//! `sqlite`: statements on databases in memory, by SQLite.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod connection;
mod script;
mod system;

use abi::random::mix;

use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;

/// The rows of the database of a warm-up. A database is gone when its statements have run, so none leaves a trace.
const WARM_UP_ROWS: u64 = 20;

/// The parameters of the warm-up call: one small database.
pub fn warm_up([first, end, rows, _]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(1)), rows.min(WARM_UP_ROWS), 0]
}

/// Gives SQLite its memory.
pub fn prepare(_: &Call, space: &mut Space<'_>) {
    connection::start(space.memory);
}

/// Makes the databases, one after the other.
pub fn work(call: &Call, _: &mut Space<'_>) -> Outcome {
    let [first, end, rows, _] = call.params;
    let mut outcome = Outcome { answer: 0, work: 0, digest: 0 };
    let mut sum = 0_u64;
    for database in first..end {
        let tally = script::run(database, rows);
        outcome.answer += tally.rows;
        outcome.work += tally.statements;
        sum = sum.wrapping_add(mix(tally.digest));
    }
    outcome.digest = bind(sum, call.challenge);
    outcome
}
