//! Text: sentences in lines and paragraphs.

use abi::random::{SplitMix64, mix};

use crate::out::Out;
use crate::words::{Word, below, zipf};

/// Of 256 words, how many are a likely successor of the word before.
const FOLLOW: u64 = 90;

/// Of 256 words, how many begin a phrase: a run of words that always follow each other.
const PHRASE: u64 = 60;

/// The column at which a line ends.
const COLUMNS: usize = 72;

/// Fills `out` with text. Each next word continues a phrase, or is one of 19 successors that a hash of its predecessor
/// chooses, or is drawn by Zipf's law.
pub fn text(out: &mut [u8], seed: u64) {
    let mut out = Out::new(out);
    let mut random = SplitMix64::new(mix(seed));
    let mut words = Words { word: 0, phrase_left: 0 };
    let (mut column, mut words_left, mut lines_left) = (0, 0_u64, 5);
    let mut capital = true;
    while !out.is_full() {
        let draw = random.draw();
        let mut word = words.next(draw, &mut random);
        if capital {
            word = word.capitalised();
            capital = false;
        }
        out.bytes(word.letters());
        column += word.letters().len() + 1;
        if words_left == 0 {
            out.byte(b'.');
            column += 1;
            capital = true;
            words_left = 6 + below(&mut random, 18);
        } else if draw >> 60 == 0 {
            out.byte(b',');
            column += 1;
        }
        words_left -= 1;
        if column < COLUMNS {
            out.byte(b' ');
            continue;
        }
        out.byte(b'\n');
        column = 0;
        lines_left -= 1;
        if lines_left == 0 {
            out.byte(b'\n');
            lines_left = 4 + below(&mut random, 6);
        }
    }
}

/// The words of a text, each from the one before.
struct Words {
    word: u64,
    phrase_left: u64,
}

impl Words {
    fn next(&mut self, draw: u64, random: &mut SplitMix64) -> Word {
        let successor = if self.phrase_left > 0 {
            self.phrase_left -= 1;
            Some(0)
        } else if draw >> 8 & 0xff < PHRASE {
            self.phrase_left = 2 + mix(self.word) % 6;
            Some(0)
        } else {
            // One of 18 others, in threes that are each half as likely as the three before.
            let likely = u64::from((draw >> 16 | 1 << 40).trailing_zeros().min(5));
            (draw & 0xff < FOLLOW).then_some(1 + likely * 3 + (draw >> 50) % 3)
        };
        self.word = match successor {
            Some(which) => zipf(&mut SplitMix64::new(self.word << 8 | which)),
            None => zipf(random),
        };
        Word::of(self.word)
    }
}
