//! The ratio of two systems' figures, round by round. What slowed a round slowed both, and cancels out.

use std::collections::BTreeMap;

use serde::Serialize;

use super::median::{Interval, median_interval};
use super::summary::Summary;

/// A round: its number and, if iterations are rounds, the iteration; else 0.
pub type Round = (u32, u16);

/// A figure for each round that has it.
pub type ByRound = BTreeMap<Round, f64>;

/// A figure of one system divided by the same figure of another, by round.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PairedRatio {
    /// The ratio of each round that has both, in the order of the rounds.
    pub ratios: Vec<f64>,
    /// Their median.
    pub median: f64,
    /// The interval of the median; `None` for fewer than five rounds.
    pub interval: Option<Interval>,
}

impl PairedRatio {
    /// `ours` divided by `theirs`; `None` if they share no round.
    #[must_use]
    pub fn of(ours: &ByRound, theirs: &ByRound) -> Option<Self> {
        let both = ours.iter().filter_map(|(round, ours)| Some(ours / theirs.get(round)?));
        let ratios: Vec<f64> = both.collect();
        let median = Summary::of(&ratios)?.median;
        Some(Self { median, interval: median_interval(&ratios), ratios })
    }
}

/// `dividend` divided by `divisor`, for each round that has both.
#[must_use]
pub fn quotients(dividend: &ByRound, divisor: &ByRound) -> ByRound {
    dividend.iter().filter_map(|(round, figure)| Some((*round, figure / divisor.get(round)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_the_rounds_that_both_have() {
        let ours = ByRound::from([((0, 0), 1.8), ((1, 0), 0.9), ((3, 0), 7.0)]);
        let theirs = ByRound::from([((0, 0), 2.0), ((1, 0), 1.0), ((2, 0), 9.0)]);
        let paired = PairedRatio::of(&ours, &theirs).expect("two rounds");
        assert_eq!((paired.ratios, paired.median, paired.interval), (vec![0.9, 0.9], 0.9, None));
        assert_eq!(PairedRatio::of(&ours, &ByRound::new()), None);
    }
}
