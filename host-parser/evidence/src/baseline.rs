//! The baseline: the best time that a session has shown for the same work, as a quartile.

/// The baseline of a series of times: the least of the lower quartiles of the first three times, the first four, and so
/// on.
///
/// Each is a quartile, and at least the second-shortest time: a single time on a cold, fast CPU, or the luckiest of
/// hundreds, must not condemn all others. The baseline is the least quartile, because a host that becomes busy and stays
/// busy makes later quartiles longer, and what the host gave once it can give again. From the third time on the baseline
/// never rises.
#[derive(Clone, Debug, Default)]
pub struct Baseline {
    sorted: Vec<f64>,
    least: Option<f64>,
}

impl Baseline {
    /// The baseline of `times`.
    #[must_use]
    pub fn of(times: impl IntoIterator<Item = f64>) -> Self {
        let mut baseline = Self::default();
        times.into_iter().for_each(|time| baseline.add(time));
        baseline
    }

    /// Adds the next time.
    pub fn add(&mut self, time: f64) {
        let place = self.sorted.partition_point(|other| *other < time);
        self.sorted.insert(place, time);
        let last = self.sorted.len() - 1;
        let quartile = self.sorted[(last / 4).max(1).min(last)];
        // One or two times do not show whether they are undisturbed.
        self.least = match self.least {
            Some(least) if last >= 2 => Some(least.min(quartile)),
            _ => Some(quartile),
        };
    }

    /// The baseline; `None` before the first time.
    #[must_use]
    pub const fn time(&self) -> Option<f64> {
        self.least
    }

    /// The longest time.
    #[must_use]
    pub fn longest(&self) -> Option<f64> {
        self.sorted.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
