//! Times of a step, in figures.

use experiment::manifest::Quantile;
use serde::{Deserialize, Serialize};

/// The figures of a step, in microseconds. A percentile is the time at its nearest rank (Hyndman and Fan 1996, type 1), so
/// each is a time that was measured: of 30 cycles, the 95th is the second longest, and the 99th the longest.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct Figures {
    /// How many cycles.
    pub cycles: usize,
    /// The shortest.
    pub min_us: u64,
    /// The median.
    pub median_us: u64,
    /// The 95th percentile.
    pub p95_us: u64,
    /// The 99th percentile.
    pub p99_us: u64,
    /// The longest.
    pub max_us: u64,
}

impl Figures {
    /// The figures of these times; `None` if there are none.
    #[must_use]
    pub fn of(mut times: Vec<u64>) -> Option<Self> {
        times.sort_unstable();
        let (&min_us, &max_us) = (times.first()?, times.last()?);
        let [median_us, p95_us, p99_us] = [50, 95, 99].map(|percent| times[rank(times.len(), percent)]);
        Some(Self { cycles: times.len(), min_us, median_us, p95_us, p99_us, max_us })
    }

    /// One of them.
    #[must_use]
    pub const fn quantile(&self, of: Quantile) -> u64 {
        match of {
            Quantile::Median => self.median_us,
            Quantile::P95 => self.p95_us,
            Quantile::P99 => self.p99_us,
            Quantile::Max => self.max_us,
        }
    }
}

/// The place of a percentile among `count` sorted times, of which there is at least one.
const fn rank(count: usize, percent: usize) -> usize {
    (count * percent).div_ceil(100).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let figures = Figures::of((1..=30).rev().collect()).unwrap();
        assert_eq!((figures.cycles, figures.min_us, figures.median_us), (30, 1, 15));
        assert_eq!((figures.p95_us, figures.p99_us, figures.max_us), (29, 30, 30));
        let hundred = Figures::of((1..=100).collect()).unwrap();
        assert_eq!((hundred.median_us, hundred.p95_us, hundred.p99_us), (50, 95, 99));
    }

    #[test]
    fn one_time_is_every_figure_and_none_is_no_figure() {
        let one = Figures::of(vec![7]).unwrap();
        let quantiles = [Quantile::Median, Quantile::P95, Quantile::P99, Quantile::Max];
        assert!(quantiles.iter().all(|&of| one.quantile(of) == 7));
        assert_eq!(Figures::of(Vec::new()), None);
    }
}
