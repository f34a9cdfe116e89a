//! `transformer`: sequences of tokens from a model with eight-bit weights.
#![allow(clippy::cast_possible_truncation, reason = "a worker is for 64-bit CPUs alone")]

mod model;

use abi::random::mix;

use crate::worker::digest::bind;
use crate::worker::runtime::{Call, Outcome};
use crate::worker::space::Space;
use crate::worker::views::part;
use model::{CACHE, LONGEST, Model, TURNS, VOCABULARY, WEIGHTS, fill_turns, fill_weights};

/// The parameters of the warm-up call: one token.
pub fn warm_up([first, _, tokens, _]: [u64; 4]) -> [u64; 4] {
    [first, first.saturating_add(1), tokens.min(1), 0]
}

/// Fills the weights.
pub fn prepare(_: &Call, space: &mut Space<'_>) {
    let (weights, turns, _) = parts(space.memory);
    fill_weights(weights);
    fill_turns(turns);
}

/// Makes the sequences. Each begins with a token of its own and an empty cache.
pub fn work(call: &Call, space: &mut Space<'_>) -> Outcome {
    let [first, end, tokens, _] = call.params;
    let (weights, turns, cache) = parts(space.memory);
    let mut model = Model { weights, turns, cache };
    let mut outcome = Outcome { answer: 0, work: 0, digest: 0 };
    for sequence in first..end {
        let mut token = (1 + 37 * sequence) % VOCABULARY as u64;
        for position in 0..tokens.min(LONGEST as u64) {
            token = model.next(token as usize, position as usize) as u64;
            outcome.answer += token;
            outcome.work += 1;
            outcome.digest = outcome.digest.wrapping_add(mix(token ^ mix(sequence << 32 ^ position)));
        }
    }
    Outcome { digest: bind(outcome.digest, call.challenge), ..outcome }
}

/// The weights, the cosines and sines, and the cache.
fn parts(memory: &mut [u64]) -> (&mut [i8], &mut [f32], &mut [f32]) {
    let (weights, rest) = part(memory, WEIGHTS);
    let (turns, rest) = part(rest, TURNS);
    let (cache, _) = part(rest, CACHE);
    (weights, turns, cache)
}
