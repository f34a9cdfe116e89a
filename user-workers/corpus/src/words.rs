//! A vocabulary without a table: the spelling of a word follows from its rank.

use abi::random::{SplitMix64, mix};

/// The number of words.
const VOCABULARY: u64 = 1 << 14;

/// The length of the longest word.
pub const LONGEST: usize = 16;

/// Letters as often as in English.
const VOWELS: &[u8; 16] = b"eeeeeaaaoooiiiuy";
const CONSONANTS: &[u8; 32] = b"tttttnnnnsssshhhrrrrdddllccmmfpg";
const RARE: &[u8; 16] = b"wwwybbvvkkpgxjqz";

/// A number below `n`.
pub fn below(random: &mut SplitMix64, n: u64) -> u64 {
    let product = u128::from(random.draw()) * u128::from(n);
    // The high half fits.
    (product >> 64) as u64
}

/// The low bits of a number that `mask` has, as an index.
pub fn bits(number: u64, mask: u8) -> usize {
    usize::from(number.to_le_bytes()[0] & mask)
}

/// A rank from 0, by Zipf's law with exponent 1: log-uniform. 2^k with k uniform, and uniform between the powers of two,
/// so that the density is 1/rank in steps.
pub fn zipf(random: &mut SplitMix64) -> u64 {
    let k = below(random, u64::from(VOCABULARY.trailing_zeros()));
    (1 << k) + below(random, 1 << k) - 1
}

/// A spelt word.
#[derive(Clone, Copy)]
pub struct Word {
    letters: [u8; LONGEST],
    length: usize,
}

impl Word {
    /// The word of a rank. Frequent words are short.
    pub fn of(rank: u64) -> Self {
        let mut spread = mix(rank ^ 0x5eed);
        let length = 2 + (rank + 1).ilog2() as usize * 5 / 9 + bits(spread, 3);
        let mut vowel = (spread >> 8) & 3 == 0;
        let mut letters = [0; LONGEST];
        for (at, letter) in letters.iter_mut().enumerate().take(length) {
            if at % 8 == 0 {
                spread = mix(spread);
            }
            let byte = bits(spread >> (at % 8 * 8), 0xff);
            *letter = match (vowel, byte >> 5) {
                (true, _) => VOWELS[byte & 15],
                (false, 7) => RARE[byte & 15],
                (false, _) => CONSONANTS[byte & 31],
            };
            // Mostly alternating: one consonant of 16 is followed by another, one vowel of 16 by another.
            vowel = if vowel { byte >> 4 == 5 } else { byte >> 4 != 3 };
        }
        Self { letters, length: length.min(LONGEST) }
    }

    /// The word with a capital.
    pub fn capitalised(mut self) -> Self {
        self.letters[0] = self.letters[0].to_ascii_uppercase();
        self
    }

    pub fn letters(&self) -> &[u8] {
        &self.letters[..self.length]
    }
}
