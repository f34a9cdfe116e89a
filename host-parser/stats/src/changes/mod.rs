//! Changes of level in a series of sessions, found one session after the other.
//!
//! The sequential change-point model for ranks (Hawkins and Deng, "A Nonparametric Change-Point Control Chart", Journal of
//! Quality Technology 42(2), 2010): after each session, the series since the last change is split at every place, and the
//! Mann-Whitney statistics of the splits, each in its standard deviations, are compared with one limit. The limit of each
//! length is such that, if nothing ever changes and sessions are independent, one look in [`FALSE_ALARM_EVERY`] finds a
//! change ([`limits`]). It holds for any distribution of times, since only ranks enter it.
//!
//! What it does not stand is dependence: a machine that is in one state for several sessions looks like a change. So the
//! limit is widened by the autocorrelation of the ranks, as the standard error of the mean of a first-order autoregressive
//! series is (Priestley, Spectral Analysis and Time Series, 1981, section 5.3.2). That halves such false alarms and does not
//! remove them ([`trials`] shows how many are left), so a change is a hint, and never a verdict.

mod limits;
mod trials;

pub use limits::{FALSE_ALARM_EVERY, LEAST_FOR_CHANGE, derive_limits};
pub use trials::{ChangeTrial, SeriesKind, change_trials};

use serde::Serialize;

use crate::median;
use crate::summary::count;
use limits::limit;

/// The highest autocorrelation that the limit is widened for.
const MOST: f64 = 0.9;

/// A change of level.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Change {
    /// The index of the first value of the new level.
    pub at: usize,
    /// The index of the value after which it was found.
    pub found: usize,
    /// The median of the level before.
    pub before: f64,
    /// The median of the level after, up to the next change.
    pub after: f64,
    /// By how much the statistic was above its limit: 1 is at it.
    pub strength: f64,
}

/// The changes of a series, and how its values depend on those before them.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Changes {
    /// The changes, the earliest first.
    pub changes: Vec<Change>,
    /// The autocorrelation of the ranks within levels, at a distance of one; `None` if no level has values enough.
    pub autocorrelation: Option<f64>,
}

impl Changes {
    /// Looks at a series of finite numbers after each of its values, from the first on.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut found: Vec<(usize, usize, f64)> = Vec::new();
        let mut level = Level::begin(0);
        let mut next = 0;
        while next < values.len() {
            level.add(values, next);
            next += 1;
            if let Some((at, strength)) = level.change(values) {
                found.push((at, next - 1, strength));
                level = Level::begin(at);
                // What is of the new level is looked at again, as its beginning.
                next = at;
            }
        }
        let begins: Vec<usize> = std::iter::once(0).chain(found.iter().map(|&(at, ..)| at)).collect();
        let ends = begins.iter().skip(1).copied().chain([values.len()]);
        let levels: Vec<&[f64]> = begins.iter().zip(ends).map(|(&begin, end)| &values[begin..end]).collect();
        let changes = found.iter().zip(levels.windows(2)).map(|(&(at, found, strength), pair)| {
            let (before, after) = (middle(pair[0]), middle(pair[1]));
            Change { at, found, before, after, strength }
        });
        Self { changes: changes.collect(), autocorrelation: autocorrelation(&levels) }
    }
}

fn middle(values: &[f64]) -> f64 {
    median(values.iter().copied()).unwrap_or(f64::NAN)
}

/// The values since the last change, with the statistics of every split of them.
struct Level {
    begin: usize,
    /// For a split after the i-th value: how many pairs across it rise, less how many fall.
    rises: Vec<i64>,
}

impl Level {
    const fn begin(begin: usize) -> Self {
        Self { begin, rises: Vec::new() }
    }

    /// Adds the value at `at`, which follows the last one.
    fn add(&mut self, values: &[f64], at: usize) {
        let mut rises = 0;
        for (of, earlier) in self.rises.iter_mut().zip(&values[self.begin..at]) {
            rises += i64::from(values[at] > *earlier) - i64::from(values[at] < *earlier);
            *of += rises;
        }
        self.rises.push(0);
    }

    /// Where the level has changed, if it has, and how clearly.
    fn change(&self, values: &[f64]) -> Option<(usize, f64)> {
        let n = self.rises.len();
        let limit = limit(n)?;
        let (split, largest) = largest(&self.rises);
        // Most series do not come near: then the autocorrelation does not matter.
        if largest <= limit {
            return None;
        }
        let at = self.begin + split;
        let sides = [&values[self.begin..at], &values[at..self.begin + n]];
        let strength = largest / (limit * widening(autocorrelation(&sides).unwrap_or(0.0)));
        (strength > 1.0).then_some((at, strength))
    }
}

/// The split with the largest statistic, as how many values come before it, and the statistic in its standard deviations.
fn largest(rises: &[i64]) -> (usize, f64) {
    let n = rises.len();
    let statistic = |before: usize, rises: i64| {
        // The variance of the Mann-Whitney statistic, here twice as large as U (Mann and Whitney, 1947).
        let variance = count(before) * count(n - before) * count(n + 1) / 3.0;
        rises.unsigned_abs() as f64 / variance.sqrt()
    };
    let splits = (1..n).zip(rises).map(|(before, &rises)| (before, statistic(before, rises)));
    splits.fold((1, 0.0), |most, split| if split.1 > most.1 { split } else { most })
}

fn widening(autocorrelation: f64) -> f64 {
    let of = autocorrelation.clamp(0.0, MOST);
    ((1.0 + of) / (1.0 - of)).sqrt()
}

/// The autocorrelation of ranks, at a distance of one, within each of these levels; together, by their lengths. `None` if
/// none has at least five values.
fn autocorrelation(levels: &[&[f64]]) -> Option<f64> {
    let (mut products, mut squares) = (0.0, 0.0);
    for level in levels.iter().filter(|level| level.len() >= 5) {
        let ranks = centred_ranks(level);
        products += ranks.windows(2).map(|pair| pair[0] * pair[1]).sum::<f64>();
        squares += ranks.iter().map(|rank| rank * rank).sum::<f64>();
    }
    // All values alike: nothing varies, and so nothing lasts.
    let any = levels.iter().any(|level| level.len() >= 5);
    any.then(|| if squares == 0.0 { 0.0 } else { products / squares })
}

/// Each value's rank, less the mean rank and divided by their number; equal values share theirs.
fn centred_ranks(values: &[f64]) -> Vec<f64> {
    let n = count(values.len());
    let rank = |value: &f64| {
        let below = values.iter().filter(|other| *other < value).count();
        let equal = values.iter().filter(|other| *other == value).count();
        (count(below) + count(equal + 1) / 2.0 - (n + 1.0) / 2.0) / n
    };
    values.iter().map(rank).collect()
}

#[cfg(test)]
mod tests;
