//! `chase`: dependent loads along one cycle through a working set.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod cycle;

use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::views::{Plain, part};
use cycle::{Line, after, link, walk};

// SAFETY: an address that is not followed can have any bits, as the numbers can; the alignment is that of a cache line.
unsafe impl Plain for Line {}

/// The loads of a warm-up call.
const WARM_UP_LOADS: u64 = 4096;

/// The parameters of the warm-up call: the first loads. They change nothing.
pub fn warm_up([first, end, kib, _]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(WARM_UP_LOADS)), kib, 0]
}

/// Links the cycle, and notes the line at which the walk begins.
pub fn prepare(call: &Call, space: &mut Space<'_>) {
    let [first, ..] = call.params;
    let (lines, begin) = lines(call, space);
    link(lines);
    *begin = after(lines, first).addr() as u64;
}

/// Walks.
pub fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, ..] = call.params;
    let (lines, begin) = lines(call, space);
    let index = (*begin as usize - lines.as_ptr().addr()) / size_of::<Line>();
    let loads = end.saturating_sub(first);
    let (_, sum) = walk(lines, &raw const lines[index], loads);
    Outcome { answer: sum, work: loads, digest: bind(sum, call.challenge) }
}

/// The working set, and the address of the line at which the walk begins.
fn lines<'a>(call: &Call, space: &'a mut Space<'_>) -> (&'a mut [Line], &'a mut u64) {
    let [_, _, kib, _] = call.params;
    let (lines, rest) = part::<Line>(space.memory, kib as usize * 1024 / size_of::<Line>());
    (lines, &mut rest[0])
}
