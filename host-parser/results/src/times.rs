//! Times by round, as a flat list: a log may have hundreds of thousands of rounds with one time each.

use stats::{ByRound, Round};

/// Times, each with its round.
#[derive(Clone, Debug, Default)]
pub(crate) struct Times {
    /// By round, and of one round in the order in which they were added, if `is_sorted`.
    all: Vec<(Round, f64)>,
    unsorted: bool,
}

impl Times {
    /// Adds a time. Call [`Self::sort`] after the last one.
    pub fn push(&mut self, round: Round, time: f64) {
        self.unsorted |= self.all.last().is_some_and(|last| last.0 > round);
        self.all.push((round, time));
    }

    /// Sorts the times by their rounds. They nearly always are.
    pub fn sort(&mut self) {
        if std::mem::take(&mut self.unsorted) {
            self.all.sort_by_key(|time| time.0);
        }
    }

    /// The times of each round, from the first round on.
    pub fn rounds(&self) -> impl Iterator<Item = (Round, &[(Round, f64)])> {
        debug_assert!(!self.unsorted, "`sort` comes before any look");
        self.all.chunk_by(|one, other| one.0 == other.0).map(|times| (times[0].0, times))
    }

    /// All times, by round.
    pub fn all(&self) -> impl Iterator<Item = f64> {
        self.all.iter().map(|&(_, time)| time)
    }

    /// One figure for each round. A figure of one time is that time.
    pub fn by_round(&self, figure: Figure) -> ByRound {
        self.figures(figure).collect()
    }

    /// The same without the rounds' numbers.
    pub fn figures(&self, figure: Figure) -> impl Iterator<Item = (Round, f64)> {
        self.rounds().filter_map(move |(round, times)| {
            let time = match times {
                [(_, time)] => Some(*time),
                _ => figure(times.iter().map(|&(_, time)| time).collect()),
            };
            Some((round, time?))
        })
    }
}

/// The one time that stands for several of a round: one that lies between the shortest and the longest.
pub(crate) type Figure = fn(Vec<f64>) -> Option<f64>;

#[cfg(test)]
mod tests {
    use stats::{lower_quartile, median};

    use super::*;

    #[test]
    fn times_of_a_round_stay_together_in_any_order() {
        let mut times = Times::default();
        for (round, time) in [(2, 5.0), (0, 1.0), (2, 3.0), (1, 2.0), (0, 4.0)] {
            times.push((round, 0), time);
        }
        times.sort();
        let rounds: Vec<_> = times.rounds().map(|((round, _), times)| (round, times.len())).collect();
        assert_eq!(rounds, [(0, 2), (1, 1), (2, 2)]);
        assert_eq!(times.all().collect::<Vec<_>>(), [1.0, 4.0, 2.0, 5.0, 3.0]);
        let medians: Vec<f64> = times.by_round(median).into_values().collect();
        assert_eq!(medians, [2.5, 2.0, 4.0]);
    }

    #[test]
    fn the_figure_of_one_time_is_the_time() {
        for time in [0.0, 1.5, f64::MAX] {
            assert_eq!((lower_quartile(vec![time]), median(vec![time])), (Some(time), Some(time)));
        }
    }
}
