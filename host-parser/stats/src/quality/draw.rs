//! Sets of rounds drawn from recorded ones.

use abi::random::SplitMix64;
use serde::Serialize;

use crate::Design;

/// How many consecutive rounds stay together in [`Drawn::Blocks`].
pub const BLOCK: usize = 5;

/// How rounds are drawn. Unpaired, no round is drawn for both sides: two sessions share none, and what hit a round would
/// cancel out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drawn {
    /// Each round at most once.
    Once,
    /// With replacement: the bootstrap. Unpaired, each side from a half of the rounds that is shuffled anew each time.
    Again,
    /// In runs of consecutive rounds, so that what drifts slowly still does: paired, with replacement, the moving-block
    /// bootstrap (Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of Statistics
    /// 17(3), 1989); unpaired, blocks that do not overlap, each for one side and at most once.
    Blocks,
    /// As they were made: paired, so many rounds in a row; unpaired, one side's and after them the other's, as two
    /// sessions one after the other would have had them. Each place once, nothing left to chance.
    InARow,
}

/// A round drawn for a side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pick {
    /// Its place among the recorded rounds.
    pub at: usize,
    /// Whether it is taken from the other side.
    pub swapped: bool,
}

/// What a draw is made for.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    pub drawn: Drawn,
    pub design: Design,
    /// How many rounds there are.
    pub recorded: usize,
    /// How many are drawn for each side.
    pub rounds: usize,
    /// Whether a coin is tossed for which side is which: for each round, or each block. With two sides that are the same
    /// it makes sure that the recorded rounds themselves favour neither.
    pub toss: bool,
}

impl Drawn {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Once, Self::Again, Self::Blocks, Self::InARow];

    /// In words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Once => "each at most once",
            Self::Again => "with replacement",
            Self::Blocks => "blocks of 5",
            Self::InARow => "in a row",
        }
    }
}

impl Terms {
    /// How many different draws there are where nothing is left to chance; `None` if there is no end to them.
    pub fn places(&self) -> Option<usize> {
        let fit = |rounds: usize| (self.recorded + 1).saturating_sub(rounds);
        match (self.drawn, self.design) {
            (Drawn::InARow, Design::Paired) => Some(fit(self.rounds)),
            // Either side can be the earlier one.
            (Drawn::InARow, Design::Unpaired) => Some(2 * fit(2 * self.rounds)),
            _ if self.recorded < self.needed() => Some(0),
            _ => None,
        }
    }

    /// How many rounds there must be to draw from.
    fn needed(&self) -> usize {
        match (self.design, self.drawn) {
            (Design::Paired, _) => self.rounds,
            (Design::Unpaired, Drawn::Blocks) => 2 * self.blocks() * BLOCK,
            (Design::Unpaired, _) => 2 * self.rounds,
        }
    }

    /// How many blocks a side takes.
    fn blocks(&self) -> usize {
        self.rounds.div_ceil(BLOCK)
    }

    /// The `trial`-th draw: the rounds of A and those of B. Paired, they are the same rounds.
    pub fn draw(&self, trial: usize, random: &mut SplitMix64) -> [Vec<Pick>; 2] {
        if self.drawn == Drawn::InARow {
            return self.in_a_row(trial);
        }
        match (self.design, self.drawn) {
            (Design::Paired, Drawn::Blocks) => {
                let block = BLOCK.min(self.recorded);
                let starts = (0..self.rounds.div_ceil(block))
                    .map(|_| random.below(self.recorded - block + 1))
                    .collect::<Vec<_>>();
                let a = self.in_blocks(&starts, block, random);
                [a.clone(), a]
            }
            (Design::Unpaired, Drawn::Blocks) => {
                let taken = 2 * self.blocks();
                let slack = self.recorded - taken * BLOCK;
                let first = random.below(slack.min(BLOCK - 1) + 1);
                let mut starts: Vec<usize> =
                    (first..).step_by(BLOCK).take_while(|start| start + BLOCK <= self.recorded).collect();
                random.shuffle(&mut starts);
                let [a, b] = [&starts[..taken / 2], &starts[taken / 2..taken]];
                [a, b].map(|starts| self.in_blocks(starts, BLOCK, random))
            }
            (Design::Paired, _) => {
                let places: Vec<usize> = (0..self.recorded).collect();
                let a = self.singly(places, random);
                [a.clone(), a]
            }
            (Design::Unpaired, _) => {
                let mut places: Vec<usize> = (0..self.recorded).collect();
                random.shuffle(&mut places);
                let of_b = places.split_off(self.recorded / 2);
                [places, of_b].map(|places| self.singly(places, random))
            }
        }
    }

    /// Rounds drawn one by one from `places`.
    fn singly(&self, mut places: Vec<usize>, random: &mut SplitMix64) -> Vec<Pick> {
        let again = self.drawn == Drawn::Again;
        if !again {
            random.shuffle(&mut places);
        }
        let pick = |nth: usize| {
            let at = if again { places[random.below(places.len())] } else { places[nth] };
            Pick { at, swapped: self.toss && random.below(2) == 1 }
        };
        (0..self.rounds).map(pick).collect()
    }

    /// As many rounds as are drawn, from blocks that begin there.
    fn in_blocks(&self, starts: &[usize], block: usize, random: &mut SplitMix64) -> Vec<Pick> {
        let picks = starts.iter().flat_map(|&start| {
            let swapped = self.toss && random.below(2) == 1;
            (start..start + block).map(move |at| Pick { at, swapped })
        });
        picks.take(self.rounds).collect()
    }

    fn in_a_row(&self, trial: usize) -> [Vec<Pick>; 2] {
        let from = |start: usize| {
            (start..start + self.rounds).map(|at| Pick { at, swapped: false }).collect::<Vec<_>>()
        };
        match self.design {
            Design::Paired => [from(trial), from(trial)],
            Design::Unpaired => {
                let (early, late) = (from(trial / 2), from(trial / 2 + self.rounds));
                if trial.is_multiple_of(2) { [early, late] } else { [late, early] }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(drawn: Drawn, design: Design) -> Terms {
        Terms { drawn, design, recorded: 23, rounds: 6, toss: true }
    }

    fn places(picks: &[Pick]) -> Vec<usize> {
        picks.iter().map(|pick| pick.at).collect()
    }

    #[test]
    fn every_draw_has_as_many_rounds_as_asked_for() {
        let mut random = SplitMix64::new(3);
        for drawn in Drawn::ALL {
            for design in [Design::Paired, Design::Unpaired] {
                let terms = terms(drawn, design);
                for trial in 0..terms.places().unwrap_or(50) {
                    let [a, b] = terms.draw(trial, &mut random);
                    assert_eq!((a.len(), b.len()), (6, 6), "{terms:?}");
                    assert!(a.iter().chain(&b).all(|pick| pick.at < 23));
                    assert_eq!(a == b, design == Design::Paired);
                    let shared = places(&a).iter().any(|at| places(&b).contains(at));
                    assert_eq!(shared, design == Design::Paired, "{terms:?}: {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn draws_are_what_their_names_say() {
        let mut random = SplitMix64::new(5);
        let mut drawn_as = |drawn| {
            let [a, _] = terms(drawn, Design::Paired).draw(0, &mut random).map(|side| places(&side));
            a
        };
        let block = drawn_as(Drawn::Blocks);
        assert!(block[..BLOCK].windows(2).all(|pair| pair[1] == pair[0] + 1), "{block:?}");
        let mut draw = |drawn| {
            let mut a = drawn_as(drawn);
            let in_order = a.is_sorted();
            a.sort_unstable();
            a.dedup();
            (a.len(), in_order)
        };
        assert!((0..50).all(|_| draw(Drawn::Once).0 == 6));
        assert!((0..50).any(|_| draw(Drawn::Again).0 < 6));
        assert_eq!(draw(Drawn::InARow), (6, true));
    }

    #[test]
    fn sessions_one_after_the_other_share_no_round() {
        let terms = Terms { recorded: 12, ..terms(Drawn::InARow, Design::Unpaired) };
        assert_eq!(terms.places(), Some(2));
        let mut random = SplitMix64::new(1);
        let [a, b] = terms.draw(1, &mut random).map(|side| places(&side));
        assert_eq!((a, b), ((6..12).collect(), (0..6).collect()));
        assert_eq!(Terms { rounds: 7, ..terms }.places(), Some(0));
        for (drawn, enough) in [(Drawn::Once, 12), (Drawn::Again, 12), (Drawn::Blocks, 20)] {
            assert_eq!(Terms { drawn, recorded: enough, ..terms }.places(), None);
            assert_eq!(Terms { drawn, recorded: enough - 1, ..terms }.places(), Some(0));
        }
        assert_eq!(
            Terms { drawn: Drawn::Again, design: Design::Paired, rounds: 13, ..terms }.places(),
            Some(0)
        );
    }
}
