//! A random cycle through the lines of a buffer: each line holds the number of the next one, and its own place in the
//! cycle, by which the row's oracle counts loads.

use core::sync::atomic::{AtomicU64, Ordering};

use abi::random::SplitMix64;

use crate::sampler::Tally;

/// The words of a line of 64 bytes.
const WORDS: usize = 8;
/// The word of a line that has the index of the next line's first word.
const NEXT: usize = 0;
/// The word that has the place of the line in the cycle.
const PLACE: usize = 1;

/// A cycle through a buffer.
pub struct Chain<'a> {
    words: &'a [AtomicU64],
    lines: u64,
    /// The word at which the next load reads.
    at: usize,
    /// The place of its line.
    place: u64,
}

impl<'a> Chain<'a> {
    /// Links all lines of `words` in random order, by Sattolo's algorithm: one cycle, whatever the numbers drawn.
    #[must_use]
    pub fn link(words: &'a [AtomicU64], seed: u64) -> Self {
        let lines = words.len() / WORDS;
        let mut random = SplitMix64::new(seed);
        for line in 0..lines {
            words[line * WORDS + NEXT].store(line as u64, Ordering::Relaxed);
        }
        for line in (1..lines).rev() {
            let other = random.below(line);
            let (own, others) = (&words[line * WORDS + NEXT], &words[other * WORDS + NEXT]);
            let (one, two) = (own.load(Ordering::Relaxed), others.load(Ordering::Relaxed));
            own.store(two, Ordering::Relaxed);
            others.store(one, Ordering::Relaxed);
        }
        let mut line = 0;
        for place in 0..lines {
            let next = index(words[line * WORDS + NEXT].load(Ordering::Relaxed));
            words[line * WORDS + PLACE].store(place as u64, Ordering::Relaxed);
            words[line * WORDS + NEXT].store((next * WORDS) as u64, Ordering::Relaxed);
            line = next;
        }
        Self { words, lines: lines as u64, at: 0, place: 0 }
    }

    /// Follows the cycle for `n` loads.
    #[inline(never)]
    pub fn follow(&mut self, n: u64) {
        let mut at = self.at;
        for _ in 0..n {
            at = index(self.words[at].load(Ordering::Relaxed));
        }
        self.at = at;
    }

    /// Where the loads have come since this was last asked, of the `due` loads that there were to be.
    pub fn tally(&mut self, due: u64) -> Tally {
        let found = self.words[self.at + PLACE].load(Ordering::Relaxed);
        let wanted = (self.place + due) % self.lines.max(1);
        self.place = found;
        // As far as a cycle can show: loads that are missing, less whole turns.
        let missing = (wanted + self.lines).wrapping_sub(found) % self.lines.max(1);
        Tally { done: due.saturating_sub(missing), wrong: u64::from(missing != 0) }
    }
}

fn index(word: u64) -> usize {
    usize::try_from(word).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    fn words(lines: usize) -> Vec<AtomicU64> {
        (0..lines * WORDS).map(|_| AtomicU64::new(0)).collect()
    }

    #[test]
    fn is_one_cycle_through_all_lines() {
        for lines in [1, 2, 3, 64, 1000] {
            let words = words(lines);
            let mut chain = Chain::link(&words, 7);
            let mut seen = alloc::vec![false; lines];
            for _ in 0..lines {
                assert!(!core::mem::replace(&mut seen[chain.at / WORDS], true), "{lines}");
                chain.follow(1);
            }
            assert_eq!(chain.at, 0, "{lines}");
        }
    }

    #[test]
    fn counts_loads_by_where_they_end() {
        let words = words(64);
        let mut chain = Chain::link(&words, 1);
        chain.follow(1000);
        assert_eq!(chain.tally(1000), Tally { done: 1000, wrong: 0 });
        chain.follow(999);
        assert_eq!(chain.tally(1000), Tally { done: 999, wrong: 1 });
        chain.follow(5);
        assert_eq!(chain.tally(5), Tally { done: 5, wrong: 0 });
    }
}
