//! The reference against the program's own model.

use super::*;

/// The very file that the program is built from.
#[path = "../../../programs/src/transformer/model.rs"]
mod model;

fn by_worker(sequence: u64, tokens: u64) -> Vec<u64> {
    let (mut weights, mut turns) = (vec![0; model::WEIGHTS], vec![0.0; model::TURNS]);
    model::fill_weights(&mut weights);
    model::fill_turns(&mut turns);
    let mut cache = vec![0.0; model::CACHE];
    let mut model = model::Model { weights: &weights, turns: &turns, cache: &mut cache };
    let mut token = usize::try_from((1 + 37 * sequence) % VOCABULARY as u64).unwrap();
    let next = |position: u64| {
        token = model.next(token, usize::try_from(position).unwrap());
        token as u64
    };
    (0..tokens).map(next).collect()
}

/// Every whole that can be run is a part of this.
#[test]
fn makes_the_tokens_of_the_workers_own_model() {
    for sequence in 0..MOST_SEQUENCES {
        assert_eq!(tokens_of(sequence, MOST_TOKENS), by_worker(sequence, MOST_TOKENS), "sequence {sequence}");
    }
}

/// So that no rounding of another precision decides a token.
#[test]
fn no_second_token_comes_near_the_best() {
    for sequence in 0..MOST_SEQUENCES {
        let mut cache = Cache::default();
        let mut token = (1 + 37 * sequence) % VOCABULARY as u64;
        for position in 0..MOST_TOKENS {
            let next = MODEL.next(token, &mut cache);
            assert!(next.lead > 0.02, "sequence {sequence}, position {position}: {}", next.lead);
            token = next.token;
        }
    }
}
