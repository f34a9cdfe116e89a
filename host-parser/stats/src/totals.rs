//! Times by round, if a round can have several attempts at the same run.
//!
//! Which round has several depends on the times: a disturbed run is made again, and a disturbed run is slow. So the mean of
//! the rounds' means is too short, because a round whose slow attempt was followed by a fast one counts as one round, as a
//! round with a fast attempt alone does. The mean over all attempts is right if attempts are alike (Wald's identity: when
//! to stop depends on the past only), and too long, never too short, if a disturbance lasts over several of them.

use std::collections::BTreeMap;

use crate::paired::{ByRound, Round};
use crate::summary::count;

/// A sum of times, and how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Total {
    /// The sum.
    pub sum: f64,
    /// How many.
    pub n: usize,
}

/// The times of each round.
pub type Totals = BTreeMap<Round, Total>;

impl Total {
    /// The total of some times.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = f64>) -> Self {
        let mut n = 0;
        let sum = times.into_iter().inspect(|_| n += 1).sum();
        Self { sum, n }
    }

    /// The total of all rounds.
    #[must_use]
    pub fn of_all(totals: &Totals) -> Self {
        let add = |sum: Self, total: &Self| Self { sum: sum.sum + total.sum, n: sum.n + total.n };
        totals.values().fold(Self::default(), add)
    }

    pub(crate) fn without(self, total: Option<&Self>) -> Self {
        total.map_or(self, |total| Self { sum: self.sum - total.sum, n: self.n - total.n })
    }

    /// The mean; `None` of no times.
    #[must_use]
    pub fn mean(self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / count(self.n))
    }
}

/// One number for each round, whose mean is the mean of all times and whose spread is that of this mean: with the mean `m`
/// of all times and `k` times in a mean round, a round with `n` times of the sum `s` has `m + (s - n m) / k`. That is the
/// usual linear form of a ratio of sums (Cochran, "Sampling Techniques", 1977, section 6.3). If all rounds have as many
/// times, it is the round's mean.
#[must_use]
pub fn linear(totals: &Totals) -> ByRound {
    let all = Total::of_all(totals);
    let Some(mean) = all.mean() else { return ByRound::new() };
    let first = totals.values().next().map(|total| total.n);
    let alike = totals.values().all(|total| Some(total.n) == first);
    let each = count(all.n) / count(totals.len());
    let of = |total: &Total| {
        if alike { total.sum / count(total.n) } else { mean + (total.sum - count(total.n) * mean) / each }
    };
    totals.iter().filter(|(_, total)| total.n > 0).map(|(&round, total)| (round, of(total))).collect()
}

#[cfg(test)]
mod tests {
    use abi::random::SplitMix64;

    use super::*;

    fn totals(rounds: &[&[f64]]) -> Totals {
        (0..).zip(rounds).map(|(round, times)| ((round, 0), Total::of(times.iter().copied()))).collect()
    }

    #[test]
    fn the_linear_form_has_the_mean_of_all_times() {
        let rounds = totals(&[&[1.0], &[3.0, 1.0], &[1.2], &[4.0, 2.0, 1.0]]);
        let linear = linear(&rounds);
        let mean = linear.values().sum::<f64>() / 4.0;
        assert!((mean - 13.2 / 7.0).abs() < 1e-12, "{linear:?}");
    }

    #[test]
    fn if_rounds_have_as_many_times_it_is_their_means() {
        let linear = linear(&totals(&[&[1.0, 3.0], &[5.0, 7.0]]));
        assert_eq!(linear.into_values().collect::<Vec<_>>(), [2.0, 6.0]);
        assert_eq!(super::linear(&Totals::new()), ByRound::new());
    }

    /// Attempts that take 1, or 2 if disturbed, which a third of them is, and the next one follows: the mean time is 4/3. The
    /// mean of the rounds' means would be 1.19.
    #[test]
    fn the_mean_over_attempts_is_not_biased_by_when_it_stops() {
        let mut random = SplitMix64::new(3);
        let (mut all, mut of_means) = (Total::default(), 0.0);
        let rounds = 20_000;
        for _ in 0..rounds {
            let mut times = Vec::new();
            while times.len() < 4 && times.last() != Some(&1.0) {
                times.push(if random.below(3) == 0 { 2.0 } else { 1.0 });
            }
            let total = Total::of(times);
            all = Total { sum: all.sum + total.sum, n: all.n + total.n };
            of_means += total.sum / count(total.n);
        }
        assert!((all.sum / count(all.n) - 4.0 / 3.0).abs() < 0.01);
        assert!(of_means / f64::from(rounds) < 1.25);
    }
}
