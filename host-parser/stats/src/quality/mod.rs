//! How good the verdict is: [`compare`] applied to recorded rounds, thousands of times.
//!
//! Owns the rate of false alarms between two sides that are the same, and the rate at which a side is found that is slower
//! by a known percentage. It has no method besides [`compare`], which is the one that `assay compare` uses.

mod draw;
pub(crate) mod host;
mod paces;
mod rate;
mod real;
mod simulated;

use abi::random::SplitMix64;
use serde::Serialize;

pub use draw::Drawn;
pub use host::SimulatedHost;
pub use paces::{PacedRow, Slowed, paced};
pub use rate::Rate;
pub use real::{RealRow, real_experiments};
pub use simulated::{Sessions, SimulatedRow, simulated};

use draw::{DrawSpec, Pick};

use super::compare::{Design, Difference, compare};

/// The numbers of rounds of a side that are tried. The goals are for the middle one.
const ROUNDS: [usize; 3] = [7, 15, 30];

/// Times of sides that ran in the same rounds, each side once a round. All sides have the same length: one time a round.
#[derive(Clone, Debug, Default)]
pub struct Recorded {
    /// Two sides that are the same.
    pub same: [Vec<f64>; 2],
    /// Sides that are slower, each with the percentage.
    pub slowed: Vec<(u16, Vec<f64>)>,
}

/// The verdicts of all trials of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Row {
    /// By how many percent B is slower; 0 if the sides are the same.
    pub percent: u16,
    /// How the sides are compared.
    pub design: Design,
    /// Rounds of each side.
    pub rounds: usize,
    /// How the rounds are drawn.
    pub drawn: Drawn,
    /// Whether a coin decided which side is which.
    pub tossed: bool,
    /// How often each verdict was given.
    #[serde(flatten)]
    pub verdicts: Tally,
    /// The rate of false alarms (`slower` or `faster`) if the sides are the same; else the rate of `slower`.
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
    /// Compares times, one a round, and counts the verdict.
    fn compare(&mut self, design: Design, a: &[f64], b: &[f64]) {
        let compared = compare(design, &by_round(a), &by_round(b));
        self.add(compared.map_or(Difference::Inconclusive, |comparison| comparison.verdict));
    }

    /// Counts a verdict.
    const fn add(&mut self, verdict: Difference) {
        *match verdict {
            Difference::Slower => &mut self.slower,
            Difference::Faster => &mut self.faster,
            Difference::NoDifference => &mut self.no_difference,
            Difference::Inconclusive => &mut self.inconclusive,
        } += 1;
    }

    /// The number of false alarms if the sides are the same; else how often the slower one was found.
    const fn hits(&self, percent: u16) -> usize {
        if percent == 0 { self.slower + self.faster } else { self.slower }
    }

    /// The number of verdicts.
    const fn all(&self) -> usize {
        self.slower + self.faster + self.no_difference + self.inconclusive
    }
}

/// A promise about the verdict, and whether it is kept. Draws in a row do not count here: they are too few and share too many
/// rounds to show a rate of one in a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// How the sides are compared.
    pub design: Design,
    /// The highest rate of false alarms over the ways of drawing [`Goal::ROUNDS`] rounds.
    pub false_alarms: Option<f64>,
    /// The lowest rate at which [`Goal::PERCENT`] percent were found, likewise.
    pub found: Option<f64>,
    /// Whether both are as good as promised; `None` if there are fewer than [`Goal::RECORDED`] rounds, which are too few.
    pub reached: Option<bool>,
}

/// How good the verdict is on recorded rounds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Quality {
    /// The seed of the draws.
    pub seed: u64,
    /// The number of rounds to draw from.
    pub recorded: usize,
    /// One row for each kind of trial.
    pub rows: Vec<Row>,
    /// One goal for each design.
    pub goals: Vec<Goal>,
}

impl Goal {
    /// Rounds of each side.
    pub const ROUNDS: usize = 15;
    /// The fewest rounds of a recording. With fewer, all draws have nearly the same rounds.
    pub const RECORDED: usize = 3 * Self::ROUNDS;
    /// The slowdown that must be found, in percent.
    pub const PERCENT: u16 = 5;
    /// The lowest rate at which it must be found.
    pub const FOUND: f64 = 0.95;
    /// The highest rate of false alarms.
    pub const FALSE_ALARMS: f64 = 0.01;
}

impl Quality {
    /// Tries the method with draws from `recorded`, `trials` of each kind. The same seed gives the same draws.
    #[must_use]
    pub fn of(recorded: &Recorded, trials: usize, seed: u64) -> Self {
        let mut random = SplitMix64::new(seed);
        let mut rows = Vec::new();
        for design in [Design::Unpaired, Design::Paired] {
            for rounds in ROUNDS {
                for drawn in Drawn::ALL {
                    let mut try_out = |percent, toss, sides: &[[&[f64]; 2]]| {
                        let spec = DrawSpec { drawn, design, recorded: recorded.same[0].len(), rounds, toss };
                        rows.extend(row(percent, spec, trials, sides, &mut random));
                    };
                    let [one, other] = [&recorded.same[0][..], &recorded.same[1][..]];
                    // By chance the recorded rounds favour one side, and draws with replacement repeat that. With tosses
                    // they do not, and the false alarms that are left are the method's.
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

    /// Whether all goals are reached; `None` if none is missed and at least one is not known.
    #[must_use]
    pub fn reached(&self) -> Option<bool> {
        if self.goals.iter().any(|goal| goal.reached == Some(false)) {
            return Some(false);
        }
        self.goals.iter().all(|goal| goal.reached == Some(true)).then_some(true)
    }
}

/// Tries one kind of draw on pairs of sides, A and B; `None` if there are too few rounds for it.
fn row(
    percent: u16,
    spec: DrawSpec,
    trials: usize,
    sides: &[[&[f64]; 2]],
    random: &mut SplitMix64,
) -> Option<Row> {
    let per_pair = spec.places().unwrap_or(trials / sides.len());
    let mut verdicts = Tally::default();
    for &[a, b] in sides {
        for trial in 0..per_pair {
            let [picked_a, picked_b] = spec.draw(trial, random);
            verdicts.compare(spec.design, &picked_times(&picked_a, a, b), &picked_times(&picked_b, b, a));
        }
    }
    let rate = Rate::of(verdicts.hits(percent), verdicts.all())?;
    let DrawSpec { design, rounds, drawn, toss: tossed, .. } = spec;
    Some(Row { percent, design, rounds, drawn, tossed, verdicts, rate })
}

/// The times of the picked rounds, from the side's `own` times or from the `others`.
fn picked_times(picks: &[Pick], own: &[f64], others: &[f64]) -> Vec<f64> {
    picks.iter().map(|pick| if pick.swapped { others[pick.at] } else { own[pick.at] }).collect()
}

fn by_round(times: &[f64]) -> Vec<(u32, f64)> {
    (0..).zip(times.iter().copied()).collect()
}

/// The rates that the goal is about, of this design and percentage.
fn goal_rates(rows: &[Row], design: Design, percent: u16) -> impl Iterator<Item = f64> {
    rows.iter()
        .filter(|row| row.rounds == Goal::ROUNDS && row.drawn != Drawn::InARow)
        .filter(move |row| (row.design, row.percent) == (design, percent))
        .map(|row| row.rate.rate)
}

fn goal(design: Design, rows: &[Row], enough: bool) -> Goal {
    let false_alarms = goal_rates(rows, design, 0).reduce(f64::max);
    let found = goal_rates(rows, design, Goal::PERCENT).reduce(f64::min);
    let both = false_alarms.zip(found);
    let reached = both.map(|(alarms, found)| alarms <= Goal::FALSE_ALARMS && found >= Goal::FOUND);
    Goal { design, false_alarms, found, reached: reached.filter(|_| enough) }
}

#[cfg(test)]
mod tests;
