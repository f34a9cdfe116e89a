//! `wasm`: what a round of the module gives, without an interpreter and by other ways: the standard library's sort, products
//! of matrices by whole columns, tokens by their regular expression, and the crate `crc32fast`.

#[cfg(test)]
mod tests;

use abi::random::mix;

use crate::digest::bind;
use crate::kept::Kept;
use crate::{Expectation, Needs, Task, Units};

/// The most rounds of a whole: some tens of milliseconds.
const MOST_ROUNDS: u64 = 1024;

/// The numbers to sort, the side of a matrix, and the characters of a text.
const NUMBERS: usize = 512;
const SIDE: usize = 16;
const CHARACTERS: usize = 1024;

/// The heap of the interpreter: the module's own page of 64 KiB, its code, and the stacks.
const MEMORY_BYTES: u64 = 4 << 20;

/// The results of rounds.
static ROUNDS: Kept<u64, u64> = Kept::new(4096);

crate::parameters! {
    /// Rounds of a WebAssembly module.
    pub struct Wasm {
        /// The first round.
        first: {
            key: "first-round",
            expected: "a whole number below 4294967296",
            fits: |whole| whole.first < 1 << 32,
        },
        /// The end of the rounds, itself not one.
        end: {
            key: "end-round",
            expected: "a whole number above the first round and at most 1024 above it",
            fits: |whole| whole.first < whole.end && whole.end - whole.first <= MOST_ROUNDS,
        },
    }
}

impl Task for Wasm {
    const NAME: &'static str = "wasm";

    const UNITS: Units = Units { answer: "tokens", work: "rounds" };

    const NEEDS: Needs = Needs { prepare: true, ..Needs::NONE };

    fn example() -> Self {
        Self { first: 3, end: 40 }
    }

    fn expectation(&self, challenge: u64) -> Expectation {
        let end = self.end.min(self.first.saturating_add(MOST_ROUNDS));
        let of_round = |number| {
            let result = ROUNDS.get(number, || round(mix(number) | 1));
            Expectation { answer: result >> 32, work: 1, digest: bind(mix(result), challenge) }
        };
        (self.first..end).map(of_round).sum()
    }

    fn memory_bytes(&self) -> u64 {
        MEMORY_BYTES
    }
}

/// The result of a round: tokens above the CRC.
fn round(seed: u64) -> u64 {
    let words = words(seed);
    let (numbers, rest) = words.split_at(NUMBERS);
    let (left, rest) = rest.split_at(SIDE * SIDE);
    let (right, rest) = rest.split_at(SIDE * SIDE);
    // The place of the product, which is written over.
    let text: Vec<u8> = rest[SIDE * SIDE..].iter().map(|word| word.to_le_bytes()[0] & 0x7f).collect();
    let mut sorted = numbers.to_vec();
    sorted.sort_unstable();
    let mut crc = crc32fast::Hasher::new();
    for word in sorted.into_iter().chain(product(left, right)) {
        crc.update(&word.to_le_bytes());
    }
    tokens(&text) << 32 | u64::from(crc.finalize())
}

/// The input of a round: the low halves of a xorshift generator with 64 bits of state.
fn words(seed: u64) -> Vec<u32> {
    let mut x = seed;
    let draw = |_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        let [a, b, c, d, ..] = x.to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    };
    (0..NUMBERS + 3 * SIDE * SIDE + CHARACTERS).map(draw).collect()
}

/// The product of two square matrices modulo 2^32: each row of the left one scales the rows of the right one.
fn product(left: &[u32], right: &[u32]) -> Vec<u32> {
    let mut product = vec![0_u32; SIDE * SIDE];
    for (factors, sums) in left.chunks(SIDE).zip(product.chunks_mut(SIDE)) {
        for (factor, row) in factors.iter().zip(right.chunks(SIDE)) {
            for (sum, term) in sums.iter_mut().zip(row) {
                *sum = sum.wrapping_add(factor.wrapping_mul(*term));
            }
        }
    }
    product
}

/// How many tokens begin in a text. A token is the longest match, from left to right, of a number `[0-9]+`, which becomes
/// another token if a point follows, `[.][0-9]*`; or of a word `[@-~\x7f][0-9@-~\x7f]*`. Any other character ends a token.
fn tokens(text: &[u8]) -> u64 {
    let (mut rest, mut count) = (text, 0);
    while let [first, after @ ..] = rest {
        let run = |text: &[u8], is: fn(&u8) -> bool| text.iter().take_while(|&char| is(char)).count();
        if first.is_ascii_digit() {
            count += 1;
            rest = &rest[run(rest, u8::is_ascii_digit)..];
            if let [b'.', after @ ..] = rest {
                count += 1;
                rest = &after[run(after, u8::is_ascii_digit)..];
            }
        } else if *first >= b'@' {
            count += 1;
            rest = &after[run(after, |char| char.is_ascii_digit() || *char >= b'@')..];
        } else {
            rest = after;
        }
    }
    count
}
