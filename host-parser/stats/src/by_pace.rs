//! Times by the clock or by the pace of the CPUs, as what is known of the paces allows.
//!
//! Dividing the clock out of the times is right if the host moved the clock, and wrong if B did: wide vector instructions
//! lower it, and then B is slower. That the paces do not differ significantly is no proof that they are alike. So the clock
//! is left out only if the whole interval of the paces' ratio lies within the margin. If they are neither proven alike nor
//! shown to differ, a verdict must hold both ways.

use serde::Serialize;

use crate::compare::{Comparison, Design, Difference, Thresholds, compare_with};

/// A time or a pace of each round.
pub type Rounds = [(u32, f64)];

/// What a comparison is by.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// The clock alone: there are no paces, or they differ.
    Clock,
    /// The pace: the paces of both sides are proven to be alike.
    Pace,
    /// The pace, confirmed by the clock: the paces may differ or not.
    PaceAndClock,
}

/// Compares two sides by pace, so far as their paces allow it. `times` and `by_pace` are of A and B, by round; so are
/// `paces`. `None` if a side has nothing to compare.
///
/// Undecided paces: `slower` or `faster` is said if the times by pace say it and the estimate by the clock is on the same
/// side by the margin at least; `no-difference` if both measures say it.
#[must_use]
pub fn compare_by_pace(
    held_to: Thresholds,
    design: Design,
    times: [&Rounds; 2],
    by_pace: [&Rounds; 2],
    paces: [&Rounds; 2],
) -> Option<(Measure, Comparison)> {
    let by = |[a, b]: [&Rounds; 2]| compare_with(held_to, design, a, b);
    let [a, b] = paces;
    match compare_with(held_to.for_likeness(), design, a, b)?.verdict {
        Difference::Slower | Difference::Faster => Some((Measure::Clock, by(times)?)),
        Difference::NoDifference => Some((Measure::Pace, by(by_pace)?)),
        Difference::Inconclusive => Some((Measure::PaceAndClock, confirmed(by(by_pace)?, &by(times)?))),
    }
}

/// A comparison by pace that counts only as far as the clock confirms it.
fn confirmed(by_pace: Comparison, by_clock: &Comparison) -> Comparison {
    let confirms = match by_pace.verdict {
        Difference::Slower => by_clock.ratio >= 1.0 + by_clock.margin,
        Difference::Faster => by_clock.ratio <= 1.0 / (1.0 + by_clock.margin),
        Difference::NoDifference => by_clock.verdict == Difference::NoDifference,
        Difference::Inconclusive => true,
    };
    if confirms { by_pace } else { Comparison { verdict: Difference::Inconclusive, ..by_pace } }
}
