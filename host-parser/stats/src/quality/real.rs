//! Experiments that were really run: consecutive rounds of a recording, as one session had them.

use serde::Serialize;

use super::{Goal, Rate, Recorded, Tally};
use crate::Design;

/// The names of the two sides that are the same.
const FIRST: [&str; 2] = ["a1", "a2"];

/// The verdicts of the experiments of one kind. They share no round, so that each of them counts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RealRow {
    /// By how many percent B is slower; 0 for A2 compared with A1.
    pub percent: u16,
    /// The side that is A: `a1` or `a2`. The two rows share B's runs, and must not be added up.
    pub against: &'static str,
    /// How the sides are compared. Unpaired, A's rounds come first and B's after them.
    pub design: Design,
    /// Rounds of each side.
    pub rounds: usize,
    /// How often each verdict was given.
    #[serde(flatten)]
    pub verdicts: Tally,
    /// The rate of false alarms (`slower` or `faster`) if the sides are the same; else the rate of `slower`. The interval is
    /// Clopper and Pearson's.
    pub rate: Rate,
}

/// The experiments of all recordings. Each recording is cut from its first round on, and a remainder is left out.
#[must_use]
pub fn real_experiments(recordings: &[&Recorded]) -> Vec<RealRow> {
    let mut rows = Vec::new();
    let slowed: Vec<u16> = recordings
        .first()
        .map(|first| first.slowed.iter().map(|(percent, _)| *percent).collect())
        .unwrap_or_default();
    for design in [Design::Paired, Design::Unpaired] {
        rows.extend(row(recordings, design, 0, 0));
        for &percent in &slowed {
            rows.extend([0, 1].into_iter().filter_map(|first| row(recordings, design, percent, first)));
        }
    }
    rows
}

/// `None` if there are too few rounds for one experiment.
fn row(recordings: &[&Recorded], design: Design, percent: u16, first: usize) -> Option<RealRow> {
    let rounds = Goal::ROUNDS;
    let mut verdicts = Tally::default();
    for recorded in recordings {
        let slowed = recorded.slowed.iter().find(|(of, _)| *of == percent).map(|(_, times)| times);
        let Some(b) = slowed.or((percent == 0).then_some(&recorded.same[1])) else { continue };
        let a = &recorded.same[first];
        match design {
            Design::Paired => {
                for (a, b) in a.chunks_exact(rounds).zip(b.chunks_exact(rounds)) {
                    verdicts.compare(design, a, b);
                }
            }
            Design::Unpaired => {
                for (a, b) in a.chunks_exact(2 * rounds).zip(b.chunks_exact(2 * rounds)) {
                    verdicts.compare(design, &a[..rounds], &b[rounds..]);
                }
            }
        }
    }
    let rate = Rate::exact(verdicts.hits(percent), verdicts.all())?;
    Some(RealRow { percent, against: FIRST[first], design, rounds, verdicts, rate })
}
