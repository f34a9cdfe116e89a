//! Rank tests of two samples: how far B is shifted from A, an interval for that shift, and how probable so uneven ranks
//! are if there is no shift.
//!
//! | test | design | what scores |
//! |---|---|---|
//! | [`gastwirth`] | unpaired | the faster half of all rounds, the fastest most |
//! | [`rank_sum`] | unpaired | all rounds |
//! | [`gastwirth_paired`] | paired | as [`gastwirth`], but the chance model is a swap of A and B within each round |
//! | [`signed_rank`] | paired | the differences of pairs, by their size |
//!
//! The tests assume nothing of the distribution of times. Unpaired, all orders of the rounds of A and B are equally likely
//! if there is no shift; paired, so are all ways to swap A and B within rounds. [`null`] works out what follows from that.

mod gastwirth;
mod gastwirth_pairs;
mod null;
mod signed_rank;

pub(super) use gastwirth::{gastwirth, rank_sum};
pub(super) use gastwirth_pairs::gastwirth_paired;
pub(super) use signed_rank::signed_rank;

/// A shift between two samples, and what a rank test says of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Shift {
    /// The Hodges-Lehmann estimate: with B shifted back by it, the scores are even.
    pub estimate: f64,
    /// The lower end of the interval. The interval has all shifts that the test does not refuse.
    pub low: f64,
    /// The upper end.
    pub high: f64,
    /// The interval's confidence level: at least the one asked for, unless there are too few values for it.
    pub level: f64,
    /// The p-value of no shift, two-sided. Equal values count against a shift.
    pub p_value: f64,
}

impl Shift {
    /// The same with an interval whose ends are `widening` times as far from the estimate.
    pub fn widened(self, widening: f64) -> Self {
        let end = |end: f64| self.estimate + widening * (end - self.estimate);
        Self { low: end(self.low), high: end(self.high), ..self }
    }
}

/// All differences between a value of B and one of A, in ascending order. Shifting B back by one of them makes two values
/// equal, so that ranks change there and nowhere else.
fn pairwise_shifts(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut shifts: Vec<f64> = a.iter().flat_map(|a| b.iter().map(move |b| b - a)).collect();
    shifts.sort_unstable_by(f64::total_cmp);
    shifts
}

/// A shift between the two of the ascending `shifts` beside `gap`: gap 0 is below the first, the last gap above the last.
/// There is at least one shift.
fn within_gap(shifts: &[f64], gap: usize) -> f64 {
    let last = shifts.len() - 1;
    match gap {
        0 => shifts[0] - 1.0,
        gap if gap > last => shifts[last] + 1.0,
        gap => f64::midpoint(shifts[gap - 1], shifts[gap]),
    }
}

/// The shift just below a gap; for gap 0 the first one.
fn below_gap(shifts: &[f64], gap: usize) -> f64 {
    shifts[gap.clamp(1, shifts.len()) - 1]
}

/// The first of `places` for which `holds` is false, `places` if there is none. It must be true for all places before.
fn partition_point(places: usize, holds: impl Fn(usize) -> bool) -> usize {
    let (mut low, mut high) = (0, places);
    while low < high {
        let middle = usize::midpoint(low, high);
        if holds(middle) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low
}
