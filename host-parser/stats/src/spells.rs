//! How long a mean time may be, if few spells of slowness were met.
//!
//! What slows a case comes in spells: a neighbour's stay, a time for which two vCPUs share a core. A session of a few
//! rounds meets a few of them, and a session that happens to meet fewer than usual understates the mean **and** its spread
//! together, so that no interval made from that spread can show it. What is random is how many spells there were and how
//! long each was: the lost time is a compound Poisson sum. Its upper bound is that of a gamma distribution with the same
//! mean and variance, each with one more event of the largest size, so that it holds for few events, too (Fay and Feuer,
//! "Confidence Intervals for Directly Standardized Rates: A Method Based on the Gamma Distribution", Statistics in Medicine
//! 16, 1997).
//!
//! **The largest size.** A boot cuts spells that are longer than itself. So the one more spell is as long as the longest
//! that was met, or as the mean length by the spells whose end was seen, whichever is longer: all slow time divided by the
//! number of ends is the length of exponential spells, however they are cut (Bartholomew, "A Problem in Life Testing",
//! Journal of the American Statistical Association 52(279), 1957).
//!
//! Assumes that spells are independent. It cannot know of spells of which the session met none.

use crate::distribution::gamma_quantile;
use crate::summary::{count, median};

/// The confidence of the upper bound, on its one side: that of [`MadeRatio`](crate::MadeRatio).
const CONFIDENCE: f64 = 0.99;

/// An iteration that was made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MadeTime {
    /// Its time.
    pub time: f64,
    /// Whether evidence of the host excludes it: it is in a spell of slowness.
    pub excluded: bool,
    /// Whether its run counts. The usual time is that of iterations which are not excluded in runs that count.
    pub counts: bool,
}

/// The times of a case in the order in which they were made, in stretches: within one, each iteration begins soon after the
/// one before, so that one spell may slow both.
pub type Stretches = Vec<Vec<MadeTime>>;

/// The one-sided upper 99 % bound of the mean of all times, by the spells of slowness that were met. `None` if no iteration
/// counts.
#[must_use]
pub fn mean_by_spells(stretches: &Stretches) -> Option<f64> {
    let all = || stretches.iter().flatten();
    let counted = all().filter(|made| made.counts && !made.excluded).map(|made| made.time);
    let usual = median(counted)?;
    let mut lost = Lost::default();
    stretches.iter().for_each(|stretch| lost.add(stretch, usual));
    let n = count(all().count());
    let mean = all().map(|made| made.time).sum::<f64>() / n;
    Some(mean + (lost.upper() - lost.sum()) / n)
}

/// The time that was lost.
#[derive(Debug, Default)]
struct Lost {
    /// By event: a spell of excluded iterations, or an iteration by itself that took longer than usual.
    events: Vec<f64>,
    /// What the spells among them lost.
    spells: f64,
    /// How many spells were seen to end.
    ends: usize,
}

impl Lost {
    fn add(&mut self, stretch: &[MadeTime], usual: f64) {
        for spell in stretch.chunk_by(|before, after| before.excluded && after.excluded) {
            let lost = spell.iter().map(|made| (made.time - usual).max(0.0)).sum();
            self.events.push(lost);
            self.spells += if spell[0].excluded { lost } else { 0.0 };
        }
        let ends = stretch.windows(2).filter(|pair| pair[0].excluded && !pair[1].excluded);
        self.ends += ends.count();
    }

    fn sum(&self) -> f64 {
        self.events.iter().sum()
    }

    /// The upper bound of the sum.
    fn upper(&self) -> f64 {
        let longest =
            self.events.iter().copied().fold(0.0, f64::max).max(self.spells / count(self.ends.max(1)));
        let mean = self.sum() + longest;
        if mean <= 0.0 {
            return 0.0;
        }
        let variance = self.events.iter().map(|event| event.powi(2)).sum::<f64>() + longest.powi(2);
        gamma_quantile(CONFIDENCE, mean.powi(2) / variance, mean / variance)
    }
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;

    fn made(time: f64, excluded: bool) -> MadeTime {
        MadeTime { time, excluded, counts: true }
    }

    /// With `k` events of one size the bound is the exact one of a Poisson mean, `k + 1` events long.
    #[test]
    fn of_equal_events_it_is_the_poisson_bound() {
        for (k, bound) in [(1, 6.638), (2, 8.406), (5, 13.109), (10, 20.145)] {
            let mut stretches = vec![vec![made(1.0, false); 99]];
            stretches.extend(vec![vec![made(2.0, true), made(1.0, false)]; k]);
            let n = count(stretches.iter().flatten().count());
            let found = mean_by_spells(&stretches).expect("some count");
            assert!((found - (1.0 + bound / n)).abs() < 1e-4, "{k}: {}", (found - 1.0) * n);
        }
    }

    #[test]
    fn iterations_side_by_side_are_one_spell() {
        let spread = |slow: &[usize]| {
            let at = |at| made(if slow.contains(&at) { 2.0 } else { 1.0 }, slow.contains(&at));
            mean_by_spells(&vec![(0..40).map(at).collect()]).expect("some count")
        };
        assert!(spread(&[10, 11, 12, 13]) > spread(&[5, 12, 20, 30]) + 0.1);
    }

    #[test]
    fn a_spell_that_is_never_seen_to_end_is_long() {
        let slow = |n| vec![made(2.0, true); n];
        let quick = |n| vec![made(1.0, false); n];
        let cut = vec![slow(4), slow(4), quick(30)];
        let ending = vec![[slow(4), quick(1)].concat(), [slow(4), quick(1)].concat(), quick(28)];
        let bound = |stretches: &Stretches| mean_by_spells(stretches).expect("some count");
        assert!(bound(&cut) > bound(&ending) + 0.1);
    }

    #[test]
    fn without_loss_it_is_the_mean() {
        assert_eq!(mean_by_spells(&vec![vec![made(3.0, false); 7]]), Some(3.0));
        assert_eq!(mean_by_spells(&vec![vec![made(3.0, true)]]), None);
        let idle = MadeTime { counts: false, ..made(3.0, false) };
        assert_eq!(mean_by_spells(&vec![vec![idle]]), None);
    }

    /// How often the bound is too short, in thousandths of the sessions that met a spell: spells of exponential length, so many
    /// in the mean.
    fn too_short(spells: f64) -> u32 {
        let mut random = SplitMix64::new(3);
        let mut unit = || ((random.draw() >> 11) + 1) as f64 / (1_u64 << 53) as f64;
        let (mut met, mut below) = (0, 0);
        for _ in 0..4_000 {
            let mut stretches = vec![vec![made(1.0, false); 100]];
            let mut left = spells + unit().ln();
            while left > 0.0 {
                stretches.push(vec![made(1.0 - 5.0 * unit().ln(), true), made(1.0, false)]);
                left += unit().ln();
            }
            if stretches.len() > 1 {
                met += 1;
                let n = count(stretches.iter().flatten().count());
                let bound = (mean_by_spells(&stretches).expect("some count") - 1.0) * n;
                below += u32::from(bound < 5.0 * spells);
            }
        }
        below * 1_000 / met
    }

    /// One spell says little of how long the next is. The figures are in docs/STATISTICS.md.
    #[test]
    fn the_bound_is_too_short_no_more_often_than_documented() {
        for (spells, at_most) in [(3.0, 110), (5.0, 80), (12.0, 35), (24.0, 20)] {
            let found = too_short(spells);
            assert!(found <= at_most, "{spells} spells: {found} of 1,000");
        }
    }
}
