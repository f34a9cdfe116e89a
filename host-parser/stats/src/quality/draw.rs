//! Draws of rounds from a recording.

use abi::random::SplitMix64;
use serde::Serialize;

use crate::Design;

/// The number of consecutive rounds that stay together in [`Drawn::Blocks`].
pub const BLOCK: usize = 5;

/// How rounds are drawn. Unpaired, no round is drawn for both sides, because two sessions share none: what hit a shared round
/// would cancel out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Drawn {
    /// Each round at most once.
    Once,
    /// With replacement: the bootstrap. Unpaired, the rounds are split at random into a half for each side, anew each time.
    Again,
    /// In blocks of consecutive rounds, so that slow drift stays in them. Paired, the blocks are drawn with replacement: the
    /// moving-block bootstrap (Künsch, "The Jackknife and the Bootstrap for General Stationary Observations", Annals of
    /// Statistics 17(3), 1989). Unpaired, blocks do not overlap, and each is drawn at most once.
    Blocks,
    /// In the order in which they were made. Paired, consecutive rounds; unpaired, one side's rounds and directly after them
    /// the other's, as in two sessions one after the other. Every possible start is used once, and nothing is random.
    InARow,
}

/// A round that is drawn for a side.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Pick {
    /// The index of the recorded round.
    pub at: usize,
    /// Whether its time is the other side's.
    pub swapped: bool,
}

/// What to draw.
#[derive(Clone, Copy, Debug)]
pub struct DrawSpec {
    /// How rounds are drawn.
    pub drawn: Drawn,
    /// How the sides belong together.
    pub design: Design,
    /// The number of recorded rounds.
    pub recorded: usize,
    /// The number of rounds to draw for each side.
    pub rounds: usize,
    /// Whether a coin decides for each round, or each block, which side is which. With two sides that are the same it makes
    /// sure that the recording favours neither.
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

impl DrawSpec {
    /// The number of different draws if nothing about them is random, 0 if there are too few rounds; else `None`.
    pub fn places(&self) -> Option<usize> {
        match (self.drawn, self.design) {
            (Drawn::InARow, Design::Paired) => Some(self.starts(self.rounds)),
            // Either side can be the earlier one.
            (Drawn::InARow, Design::Unpaired) => Some(2 * self.starts(2 * self.rounds)),
            _ if self.recorded < self.needed() => Some(0),
            _ => None,
        }
    }

    /// The number of rounds at which `rounds` consecutive ones can start.
    fn starts(&self, rounds: usize) -> usize {
        (self.recorded + 1).saturating_sub(rounds)
    }

    /// The fewest recorded rounds that the draw needs.
    fn needed(&self) -> usize {
        match (self.design, self.drawn) {
            (Design::Paired, _) => self.rounds,
            (Design::Unpaired, Drawn::Blocks) => 2 * self.blocks() * BLOCK,
            (Design::Unpaired, _) => 2 * self.rounds,
        }
    }

    /// The number of blocks that a side needs.
    fn blocks(&self) -> usize {
        self.rounds.div_ceil(BLOCK)
    }

    /// The draw of one trial: the rounds of A and the rounds of B. Paired, they are the same rounds.
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

    /// Rounds that are drawn one by one from `places`.
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

    /// The rounds of the blocks that begin at `starts`, as many as are to be drawn.
    fn in_blocks(&self, starts: &[usize], block: usize, random: &mut SplitMix64) -> Vec<Pick> {
        let picks = starts.iter().flat_map(|&start| {
            let swapped = self.toss && random.below(2) == 1;
            (start..start + block).map(move |at| Pick { at, swapped })
        });
        picks.take(self.rounds).collect()
    }

    fn in_a_row(&self, trial: usize) -> [Vec<Pick>; 2] {
        match self.design {
            Design::Paired => [self.consecutive(trial), self.consecutive(trial)],
            Design::Unpaired => {
                let start = trial / 2;
                let (early, late) = (self.consecutive(start), self.consecutive(start + self.rounds));
                if trial.is_multiple_of(2) { [early, late] } else { [late, early] }
            }
        }
    }

    fn consecutive(&self, start: usize) -> Vec<Pick> {
        (start..start + self.rounds).map(|at| Pick { at, swapped: false }).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec(drawn: Drawn, design: Design) -> DrawSpec {
        DrawSpec { drawn, design, recorded: 23, rounds: 6, toss: true }
    }

    fn places(picks: &[Pick]) -> Vec<usize> {
        picks.iter().map(|pick| pick.at).collect()
    }

    #[test]
    fn every_draw_has_as_many_rounds_as_asked_for() {
        let mut random = SplitMix64::new(3);
        for drawn in Drawn::ALL {
            for design in [Design::Paired, Design::Unpaired] {
                let spec = spec(drawn, design);
                for trial in 0..spec.places().unwrap_or(50) {
                    let [a, b] = spec.draw(trial, &mut random);
                    assert_eq!((a.len(), b.len()), (6, 6), "{spec:?}");
                    assert!(a.iter().chain(&b).all(|pick| pick.at < 23));
                    assert_eq!(a == b, design == Design::Paired);
                    let shared = places(&a).iter().any(|at| places(&b).contains(at));
                    assert_eq!(shared, design == Design::Paired, "{spec:?}: {a:?} {b:?}");
                }
            }
        }
    }

    #[test]
    fn each_way_of_drawing_does_what_its_name_says() {
        let mut random = SplitMix64::new(5);
        let mut drawn_as = |drawn| {
            let [a, _] = spec(drawn, Design::Paired).draw(0, &mut random).map(|side| places(&side));
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
        let spec = DrawSpec { recorded: 12, ..spec(Drawn::InARow, Design::Unpaired) };
        assert_eq!(spec.places(), Some(2));
        let mut random = SplitMix64::new(1);
        let [a, b] = spec.draw(1, &mut random).map(|side| places(&side));
        assert_eq!((a, b), ((6..12).collect(), (0..6).collect()));
        assert_eq!(DrawSpec { rounds: 7, ..spec }.places(), Some(0));
        for (drawn, enough) in [(Drawn::Once, 12), (Drawn::Again, 12), (Drawn::Blocks, 20)] {
            assert_eq!(DrawSpec { drawn, recorded: enough, ..spec }.places(), None);
            assert_eq!(DrawSpec { drawn, recorded: enough - 1, ..spec }.places(), Some(0));
        }
        assert_eq!(
            DrawSpec { drawn: Drawn::Again, design: Design::Paired, rounds: 13, ..spec }.places(),
            Some(0)
        );
    }
}
