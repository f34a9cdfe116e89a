//! Statistics over runs that passed, and the claim that an experiment makes.
//!
//! Owns the summary of each case, the speed-ups paired by round, their intervals, and whether a claim holds. Takes
//! nothing but [`Measurement`](crate::gate::Measurement)s, which only the gate can build. docs/MEASUREMENT.md gives
//! the methods and their sources.

mod claim;
mod compare;
mod distribution;
mod median;
mod paired;
mod quality;
mod ranks;
mod series;
mod summary;

pub use claim::{Claim, ClaimEvidence, ClaimRule, claim};
pub use compare::{
    COMPARISON_LEVEL, Comparison, Design, Difference, EQUIVALENCE, LEAST_ROUNDS, MIN_EFFECT, RankTest,
    compare, compare_at, level_for,
};
pub use median::{Interval, LEVEL};
pub use paired::PairedRatio;
pub use quality::{Drawn, Goal, Quality, Rate, RealRow, Recorded, Row, Tally, real_experiments};
pub use series::{ByRound, CaseStats, Pairing, Round, Series, Speedup, quick_of_iterations};
pub use summary::Summary;
