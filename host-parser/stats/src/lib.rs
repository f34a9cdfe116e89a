//! Statistics: numbers in, numbers out.
//!
//! Owns the summary of a list of numbers, the interval of a median, ratios paired by round, the comparison of A and B by
//! rank tests, and the trials that show how good that comparison is. It knows neither runs nor records, and does no I/O.
//! docs/STATISTICS.md describes the methods and names their sources.

#![forbid(unsafe_code)]

mod compare;
mod distribution;
mod mean_ratio;
mod median;
mod paired;
mod quality;
mod ranks;
mod summary;

pub use compare::{
    COMPARISON_LEVEL, Comparison, Design, Difference, EQUIVALENCE, LEAST_ROUNDS, MIN_EFFECT, RankTest,
    compare, compare_at, level_for,
};
pub use distribution::fair_tosses_at_most;
pub use mean_ratio::MeanRatio;
pub use median::{Interval, LEVEL, median_interval};
pub use paired::{ByRound, PairedRatio, Round, quotients};
pub use quality::{Drawn, Goal, Quality, Rate, RealRow, Recorded, Row, Tally, real_experiments};
pub use summary::{Summary, lower_quartile, median};
