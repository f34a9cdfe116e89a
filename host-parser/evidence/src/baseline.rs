//! The baseline: the best time that a session has shown for the same work, as a quartile.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// The baseline of a series of times: the least of the lower quartiles of the first three times, the first four, and so
/// on.
///
/// Each is a quartile, and at least the second-shortest time: a single time on a cold, fast CPU, or the luckiest of
/// hundreds, must not condemn all others. The baseline is the least quartile, because a host that becomes busy and stays
/// busy makes later quartiles longer, and what the host gave once it can give again. From the third time on the baseline
/// never rises.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    /// The shortest times, up to the quartile, which is on top.
    short: BinaryHeap<Time>,
    /// All other times, the shortest on top.
    long: BinaryHeap<Reverse<Time>>,
    longest: Option<f64>,
    least: Option<f64>,
}

/// A time that has an order. It is a number.
#[derive(Clone, Copy, Debug)]
struct Time(f64);

impl Ord for Time {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Time {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Time {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Time {}

impl Baseline {
    /// The baseline of `times`.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = f64>) -> Self {
        let mut baseline = Self::default();
        times.into_iter().for_each(|time| baseline.add(time));
        baseline
    }

    /// Adds the next time, which is a number. Costs the logarithm of their count.
    pub fn add(&mut self, time: f64) {
        self.longest = Some(self.longest.map_or(time, |longest| longest.max(time)));
        if self.short.peek().is_some_and(|quartile| Time(time) < *quartile) {
            self.short.push(Time(time));
        } else {
            self.long.push(Reverse(Time(time)));
        }
        let last = self.count() - 1;
        let quartile = self.move_quartile_to((last / 4).max(1).min(last));
        // One or two times do not show whether they are undisturbed.
        self.least = match self.least {
            Some(least) if last >= 2 => Some(least.min(quartile)),
            _ => Some(quartile),
        };
    }

    /// Moves times from one heap to the other until the `place`-th shortest, from 0, is on top of the short ones. A further
    /// time moves at most two.
    fn move_quartile_to(&mut self, place: usize) -> f64 {
        while self.short.len() > place + 1 {
            let longest = self.short.pop().expect("it has more than one");
            self.long.push(Reverse(longest));
        }
        while self.short.len() <= place {
            let Reverse(shortest) = self.long.pop().expect("the heaps have more times than that");
            self.short.push(shortest);
        }
        self.short.peek().expect("it has more times than `place`").0
    }

    /// How many times there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.short.len() + self.long.len()
    }

    /// The baseline; `None` before the first time.
    #[must_use]
    pub const fn time(&self) -> Option<f64> {
        self.least
    }

    /// The longest time.
    #[must_use]
    pub const fn longest(&self) -> Option<f64> {
        self.longest
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: every quartile from a sorted list.
    fn defined(times: &[f64]) -> Option<f64> {
        let quartile = |n: usize| {
            let mut sorted = times[..n].to_vec();
            sorted.sort_by(f64::total_cmp);
            sorted[((n - 1) / 4).max(1).min(n - 1)]
        };
        match times.len() {
            0 => None,
            few @ 1..=2 => Some(quartile(few)),
            all => (3..=all).map(quartile).reduce(f64::min),
        }
    }

    proptest! {
        #[test]
        fn equals_its_definition_after_each_time(
            times in prop::collection::vec(prop_oneof![0.5..2.0, (1_u8..6).prop_map(f64::from)], 0..120),
        ) {
            let mut baseline = Baseline::default();
            for (n, &time) in (1..).zip(&times) {
                baseline.add(time);
                prop_assert_eq!(baseline.time(), defined(&times[..n]));
                prop_assert_eq!(baseline.longest(), times[..n].iter().copied().reduce(f64::max));
                prop_assert_eq!(baseline.count(), n);
            }
        }
    }

    fn baseline(times: impl IntoIterator<Item = f64>) -> Option<f64> {
        Baseline::of(times).time()
    }

    #[test]
    fn is_the_second_shortest_of_a_few_and_the_lower_quartile_of_many() {
        assert_eq!(baseline([]), None);
        assert_eq!(baseline([5.0]), Some(5.0));
        assert_eq!(baseline([5.0, 7.0]), Some(7.0));
        assert_eq!(baseline([7.0, 9.0, 5.0, 8.0]), Some(7.0));
        let many = [4.0, 3.0, 2.0, 1.0].into_iter().cycle().take(100);
        assert_eq!(baseline(many.map(|time| 10.0 + time)), Some(11.0));
        let many = (0..100).map(|i| if i % 10 == 9 { 1.0 } else { 2.0 });
        assert_eq!(baseline(many), Some(2.0));
    }

    #[test]
    fn never_rises_from_the_third_time_on() {
        let times: Vec<f64> = (0..200).map(|i| f64::from((i * 83 + i * i * 7) % 101)).collect();
        let each: Vec<f64> = (2..times.len()).filter_map(|n| baseline(times[..=n].iter().copied())).collect();
        assert!(each.windows(2).all(|pair| pair[1] <= pair[0]));
        // A host that becomes busy and stays busy.
        assert_eq!(baseline([1.0, 1.0].into_iter().chain([1.9; 500])), Some(1.0));
    }

    #[test]
    fn a_few_lucky_times_among_hundreds_do_not_set_it() {
        let times = (0..400).map(|i| if i % 100 == 50 { 0.8 } else { 1.0 });
        assert_eq!(baseline(times), Some(1.0));
    }
}
