//! How good the verdict is: the method of [`compare`] put to recorded rounds, again and again.
//!
//! Owns the false alarms between two sides that are the same, and how often a side that is slower by a known part is
//! found. Refuses a method of its own: what is tried is what `assay compare` uses.

mod draw;
mod rate;
mod real;

use abi::random::SplitMix64;
use serde::Serialize;

pub use draw::Drawn;
pub use rate::Rate;
pub use real::{RealRow, real_experiments};

use draw::{Pick, Terms};

use super::compare::{Design, Difference, compare};

/// How many rounds a side of a comparison is tried with. The goals are for the middle one.
const ROUNDS: [usize; 3] = [7, 15, 30];

/// Times recorded side by side: in each round every side once. Sides have the same length, and their places are rounds.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Two sides that are the same.
    pub same: [Vec<f64>; 2],
    /// Sides that are slower, each by how many percent.
    pub slowed: Vec<(u16, Vec<f64>)>,
}

/// What the verdict was in how many trials of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// By how many percent the one side is slower; 0 if they are the same.
    pub percent: u16,
    /// How the sides are compared.
    pub design: Design,
    /// Rounds of each side.
    pub rounds: usize,
    /// How they are drawn.
    pub drawn: Drawn,
    /// Whether a coin was tossed for which side is which.
    pub tossed: bool,
    /// What the verdicts were.
    #[serde(flatten)]
    pub verdicts: Tally,
    /// False alarms, `slower` or `faster`, where the sides are the same; else how often it was found: `slower`.
    pub rate: Rate,
}

/// How often each verdict was given.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Tally {
    /// `slower`.
    pub slower: usize,
    /// `faster`.
    pub faster: usize,
    /// `no-difference`.
    pub no_difference: usize,
    /// `inconclusive`.
    pub inconclusive: usize,
}

impl Tally {
    /// Compares times of rounds, and counts the verdict.
    fn compare(&mut self, design: Design, a: &[f64], b: &[f64]) {
        let rounds = |times: &[f64]| (0..).zip(times.iter().copied()).collect::<Vec<(u32, f64)>>();
        let compared = compare(design, &rounds(a), &rounds(b));
        *match compared.map_or(Difference::Inconclusive, |comparison| comparison.verdict) {
            Difference::Slower => &mut self.slower,
            Difference::Faster => &mut self.faster,
            Difference::NoDifference => &mut self.no_difference,
            Difference::Inconclusive => &mut self.inconclusive,
        } += 1;
    }

    /// False alarms where the sides are the same; else how often the slower one was found.
    const fn hits(&self, percent: u16) -> usize {
        if percent == 0 { self.slower + self.faster } else { self.slower }
    }

    /// How many verdicts there were.
    const fn all(&self) -> usize {
        self.slower + self.faster + self.no_difference + self.inconclusive
    }
}

/// What is promised of the verdict. Draws in a row do not count here: they are too few, and share too many rounds, to
/// tell one in a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// How the sides are compared.
    pub design: Design,
    /// The most false alarms, over the ways of drawing [`Goal::ROUNDS`] rounds.
    pub false_alarms: Option<f64>,
    /// How often [`Goal::PERCENT`] percent were found at least, likewise.
    pub found: Option<f64>,
    /// Whether both are as good as promised; `None` with fewer than [`Goal::RECORDED`] rounds, which do not decide it.
    pub reached: Option<bool>,
}

/// How good the verdict is, by recorded rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// Where the generator begins.
    pub seed: u64,
    /// How many rounds there are to draw from.
    pub recorded: usize,
    /// What was tried.
    pub rows: Vec<Row>,
    /// What that means.
    pub goals: Vec<Goal>,
}

impl Goal {
    /// Rounds of each side.
    pub const ROUNDS: usize = 15;
    /// Rounds that must be recorded: of fewer, draws are the same rounds over and over.
    pub const RECORDED: usize = 3 * Self::ROUNDS;
    /// By how many percent a side is slower that is to be found.
    pub const PERCENT: u16 = 5;
    /// How often it is to be found at least.
    pub const FOUND: f64 = 0.95;
    /// The most false alarms.
    pub const FALSE_ALARMS: f64 = 0.01;
}

impl Quality {
    /// Tries the method with draws from `recorded`, so many of each kind; the same seed draws the same.
    #[must_use]
    pub fn of(recorded: &Recorded, trials: usize, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut rows = Vec::new();
        for design in [Design::Unpaired, Design::Paired] {
            for rounds in ROUNDS {
                for drawn in Drawn::ALL {
                    let mut try_out = |percent, toss, sides: &[[&[f64]; 2]]| {
                        let terms = Terms { drawn, design, recorded: recorded.same[0].len(), rounds, toss };
                        rows.extend(row(percent, terms, trials, sides, &mut random));
                    };
                    let [one, other] = [&recorded.same[0][..], &recorded.same[1][..]];
                    // A draw with replacement repeats whatever the recorded rounds happen to differ by; tossed, it
                    // does not, and what is left is the method's own doing.
                    let as_recorded = matches!(drawn, Drawn::Once | Drawn::InARow);
                    if as_recorded {
                        try_out(0, false, &[[one, other]]);
                    }
                    if drawn != Drawn::InARow {
                        try_out(0, true, &[[one, other]]);
                    }
                    for (percent, slowed) in &recorded.slowed {
                        try_out(*percent, false, &[[one, slowed], [other, slowed]]);
                    }
                }
            }
        }
        let enough = recorded.same[0].len() >= Goal::RECORDED;
        let goals = [Design::Unpaired, Design::Paired].map(|design| goal(design, &rows, enough)).to_vec();
        Self { seed, recorded: recorded.same[0].len(), rows, goals }
    }

    /// Whether all goals are reached; `None` if none is missed and some are undecided.
    #[must_use]
    pub fn reached(&self) -> Option<bool> {
        let reached = |wanted: Option<bool>| move |goal: &Goal| goal.reached == wanted;
        match () {
            () if self.goals.iter().any(reached(Some(false))) => Some(false),
            () if self.goals.iter().all(reached(Some(true))) => Some(true),
            () => None,
        }
    }
}

/// Tries one kind of draw on pairs of sides, A and B; `None` if there are too few rounds for any.
fn row(
    percent: u16,
    terms: Terms,
    trials: usize,
    sides: &[[&[f64]; 2]],
    random: &mut SplitMix64,
) -> Option<Row> {
    let per_pair = terms.places().unwrap_or(trials / sides.len());
    let mut verdicts = Tally::default();
    for &[a, b] in sides {
        for trial in 0..per_pair {
            let [picked_a, picked_b] = terms.draw(trial, random);
            let times = |picks: &[Pick], own: &[f64], others: &[f64]| -> Vec<f64> {
                let time = |pick: &Pick| if pick.swapped { others[pick.at] } else { own[pick.at] };
                picks.iter().map(time).collect()
            };
            verdicts.compare(terms.design, &times(&picked_a, a, b), &times(&picked_b, b, a));
        }
    }
    let rate = Rate::of(verdicts.hits(percent), verdicts.all())?;
    let Terms { design, rounds, drawn, toss: tossed, .. } = terms;
    Some(Row { percent, design, rounds, drawn, tossed, verdicts, rate })
}

fn goal(design: Design, rows: &[Row], enough: bool) -> Goal {
    let rates = |percent: u16| {
        let counts = move |row: &&Row| row.rounds == Goal::ROUNDS && row.drawn != Drawn::InARow;
        let wanted = move |row: &&Row| (row.design, row.percent) == (design, percent);
        rows.iter().filter(counts).filter(wanted).map(|row| row.rate.rate)
    };
    let false_alarms = rates(0).reduce(f64::max);
    let found = rates(Goal::PERCENT).reduce(f64::min);
    let both = false_alarms.zip(found);
    let reached = both.map(|(alarms, found)| alarms <= Goal::FALSE_ALARMS && found >= Goal::FOUND);
    Goal { design, false_alarms, found, reached: reached.filter(|_| enough) }
}

#[cfg(test)]
mod tests;
