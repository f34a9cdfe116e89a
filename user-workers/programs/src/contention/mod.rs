//! The contention programs: turns at what all workers of a case share.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

#[allow(dead_code, reason = "each program uses one pattern")]
pub mod shared;

use abi::worker::Phase;

use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use shared::{Pattern, Shared, Worker};

/// The turns of a warm-up call, at a lock that no other worker uses.
const WARM_UP_TURNS: u64 = 256;

/// Where the warm-up takes its turns: a worker's own, since the others are not to notice.
static PRACTICE: Shared = Shared::zero();

/// The parameters of the warm-up call.
pub fn warm_up([first, end, stride, _]: [u64; 4]) -> [u64; 4] {
    [first, end.min(first.saturating_add(WARM_UP_TURNS)), stride, 0]
}

/// Notes how many turns this worker is to take.
pub fn prepare(call: &Call, space: &mut Space<'_>) {
    let [first, end, ..] = call.params;
    shared(space).claim(space.worker as usize, end.saturating_sub(first));
}

/// Takes the turns.
pub fn work<P: Pattern>(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, stride, _] = call.params;
    let turns = end.saturating_sub(first);
    let (number, mut of) = (space.worker as usize, space.workers as usize);
    let shared = if space.phase == Phase::WarmUp {
        PRACTICE.claim(number, turns);
        of = number + 1;
        &PRACTICE
    } else {
        shared(space)
    };
    P::turns(shared, Worker { number, of }, turns, stride as usize);
    Outcome { answer: 0, work: 0, digest: 0 }
}

/// The turns of this worker. Worker 0 answers for whatever was lost or was too many.
pub fn verify<P: Pattern>(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, stride, _] = call.params;
    let turns = end.saturating_sub(first);
    let taken = match space.worker {
        0 => shared(space).first_workers_turns::<P>(space.workers as usize, stride as usize),
        _ => turns,
    };
    Outcome { answer: taken, work: turns, digest: bind(taken, call.challenge) }
}

/// The shared memory.
fn shared<'a>(space: &Space<'a>) -> &'a Shared {
    assert!(size_of_val(space.shared) >= size_of::<Shared>(), "the manifest shares enough memory");
    // SAFETY: `Shared` is nothing but `AtomicU64`s, of which there are enough; shared memory begins at a page.
    unsafe { &*space.shared.as_ptr().cast::<Shared>() }
}
