//! Statistics: numbers in, numbers out.
//!
//! Owns the summary of a list of numbers, the interval of a median, ratios paired by round, the comparison of A and B by
//! rank tests, the changes of a series, the test of what was excluded, how long a mean may be by the spells of slowness that were met, and the
//! trials that show how good the comparison is. It knows neither runs nor records, and does no I/O.
//! docs/STATISTICS.md describes the methods and names their sources.

#![forbid(unsafe_code)]

mod by_pace;
mod changes;
mod compare;
mod dependence;
mod distribution;
mod figures;
mod host_shift;
mod made_ratio;
mod mean_ratio;
mod median;
mod more_rounds;
mod paired;
mod quality;
mod ranks;
mod selection;
mod spells;
mod summary;
mod totals;

pub use by_pace::{Measure, Rounds, compare_by_pace};
pub use changes::{
    Change, ChangeTrial, Changes, FALSE_ALARM_EVERY, LEAST_FOR_CHANGE, SeriesKind, change_trials,
    derive_limits,
};
pub use compare::{
    COMPARISON_LEVEL, Comparison, Design, Difference, HeldBack, LEAST_ROUNDS, MIN_EFFECT, RankTest,
    Thresholds, compare, compare_at, compare_with, level_for,
};
pub use dependence::{Dependence, LEAST_FOR_DEPENDENCE};
pub use distribution::fair_tosses_at_most;
pub use figures::verdict_of_figures;
pub use host_shift::{HostShift, LEAST_PROBES};
pub use made_ratio::MadeRatio;
pub use mean_ratio::MeanRatio;
pub use median::{Interval, LEVEL, median_interval};
pub use more_rounds::{MOST_MORE_ROUNDS, least_rounds};
pub use paired::{ByRound, PairedRatio, Round, quotients};
pub use quality::{
    Drawn, Goal, PacedRow, Quality, Rate, RealRow, Recorded, Row, Sessions, SimulatedHost, SimulatedRow,
    Slowed, Tally, paced, real_experiments, simulated,
};
pub use selection::ShareTest;
pub use spells::{MadeTime, Stretches, mean_by_spells};
pub use summary::{Summary, lower_quartile, median};
pub use totals::{Total, Totals, linear};
