//! Our kernel's steps beside the VMM's own, and beside the Linux guest's, in the same rounds.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stats::{median, median_interval};

/// A median over rounds with its confidence interval.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Paired {
    /// How many rounds have both.
    pub rounds: usize,
    /// The median of what each round gives.
    pub median: f64,
    /// The interval of that median, and its level; `None` with fewer than five rounds.
    pub interval: Option<[f64; 2]>,
    /// The interval's confidence level.
    pub level: Option<f64>,
}

/// The times of a step, in microseconds, by round.
pub(crate) type ByRound = BTreeMap<u32, u64>;

impl Paired {
    /// What `of` gives for the two times of each round that has both; `None` if none has.
    pub(crate) fn of(ours: &ByRound, theirs: &ByRound, of: fn(f64, f64) -> f64) -> Option<Self> {
        #[expect(clippy::cast_precision_loss, reason = "microseconds of a cycle are far below 2^52")]
        let pairs = ours.iter().filter_map(|(round, &us)| Some(of(us as f64, *theirs.get(round)? as f64)));
        let values: Vec<f64> = pairs.collect();
        let interval = median_interval(&values);
        Some(Self {
            rounds: values.len(),
            median: median(values)?,
            interval: interval.map(|interval| [interval.low, interval.high]),
            level: interval.map(|interval| interval.level),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rounds_that_have_both_are_paired() {
        let ours: ByRound = [(0, 10), (1, 20), (2, 30)].into();
        let theirs: ByRound = [(1, 5), (2, 6), (7, 1)].into();
        let difference = Paired::of(&ours, &theirs, |ours, theirs| ours - theirs).unwrap();
        assert_eq!((difference.rounds, difference.median, difference.interval), (2, 19.5, None));
        assert_eq!(Paired::of(&ours, &ByRound::new(), |ours, _| ours), None);
    }

    #[test]
    fn the_interval_has_its_level() {
        let ours: ByRound = (0..30).map(|round| (round, 100 + u64::from(round))).collect();
        let theirs: ByRound = (0..30).map(|round| (round, 50)).collect();
        let quotient = Paired::of(&ours, &theirs, |ours, theirs| ours / theirs).unwrap();
        let [low, high] = quotient.interval.unwrap();
        assert!(low < quotient.median && quotient.median < high && quotient.level.unwrap() >= 0.95);
    }
}
