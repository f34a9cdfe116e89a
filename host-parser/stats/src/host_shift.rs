//! How far two sessions of one host are apart by their native probes: the session offset.
//!
//! Two sessions one after the other differ by whatever the host did between them, and their own rounds cannot separate that
//! from the program. The probes can: they are the same work without a guest, made between the rounds of each session. A
//! verdict needs proof that the host was alike, not merely no sign that it was not: the whole interval of the probes' ratio
//! must lie within [`MIN_EFFECT`], or within the margin of the comparison if that is smaller. What that interval leaves open then counts against a difference between the programs.

use serde::Serialize;

#[cfg(doc)]
use crate::compare::MIN_EFFECT;
use crate::compare::{COMPARISON_LEVEL, Thresholds, by_both_ranks};
use crate::median::Interval;

/// The fewest probes of each session.
pub const LEAST_PROBES: usize = 5;

/// How far the host of B was from that of A.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HostShift {
    /// The interval of the ratio of the probes, B to A. It spans those of all kinds of probe and of both rank tests.
    pub interval: Interval,
    /// Whether it lies within that of 1: the host is shown to have been alike.
    pub alike: bool,
}

impl HostShift {
    /// Compares the probes of A with those of B, for each kind of probe: on one CPU, and on all. `None` if a session has
    /// fewer than [`LEAST_PROBES`] of a kind.
    #[must_use]
    pub fn of(kinds: &[[Vec<f64>; 2]], held_to: Thresholds) -> Option<Self> {
        let mut interval: Option<Interval> = None;
        for [a, b] in kinds {
            if a.len().min(b.len()) < LEAST_PROBES {
                return None;
            }
            let found = by_both_ranks(a, b, COMPARISON_LEVEL)?;
            interval = Some(match interval {
                None => found,
                Some(so_far) => so_far.spanning(found),
            });
        }
        let interval = interval?;
        let most = 1.0 + held_to.for_likeness().margin;
        let alike = interval.level >= COMPARISON_LEVEL && interval.low >= 1.0 / most && interval.high <= most;
        Some(Self { interval, alike })
    }
}

impl Interval {
    /// The interval that has both, at the lower level of the two.
    fn spanning(self, other: Self) -> Self {
        Self {
            level: self.level.min(other.level),
            low: self.low.min(other.low),
            high: self.high.max(other.high),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probes(slower: f64, spread: f64, count: u32) -> Vec<f64> {
        (0..count).map(|place| 270e6 * slower * (1.0 + spread * f64::from(place * 7 % 16))).collect()
    }

    #[test]
    fn the_host_is_alike_only_if_the_probes_prove_it() {
        let alike = |a: Vec<f64>, b: Vec<f64>| {
            HostShift::of(&[[a, b]], Thresholds::default()).map(|shift| shift.alike)
        };
        assert_eq!(alike(probes(1.0, 3e-4, 16), probes(1.002, 3e-4, 16)), Some(true));
        assert_eq!(alike(probes(1.0, 3e-4, 16), probes(1.02, 3e-4, 16)), Some(false));
        // The medians are equal, and the probes too noisy to show it.
        assert_eq!(alike(probes(1.0, 0.01, 16), probes(1.0, 0.01, 16)), Some(false));
        assert_eq!(alike(probes(1.0, 3e-4, 4), probes(1.0, 3e-4, 16)), None);
        assert_eq!(HostShift::of(&[], Thresholds::default()), None);
    }

    #[test]
    fn a_wider_margin_makes_no_host_alike_and_a_narrower_one_asks_for_more() {
        let alike = |slower: f64, margin: f64| {
            let kinds = [[probes(1.0, 3e-4, 16), probes(slower, 3e-4, 16)]];
            HostShift::of(&kinds, Thresholds { margin, ..Thresholds::default() }).map(|shift| shift.alike)
        };
        assert_eq!((alike(1.02, 0.05), alike(1.008, 0.05)), (Some(false), Some(true)));
        assert_eq!(alike(1.008, 0.005), Some(false));
    }

    #[test]
    fn every_kind_of_probe_must_prove_it() {
        let same = [probes(1.0, 3e-4, 16), probes(1.0, 3e-4, 16)];
        let apart = [probes(1.0, 3e-4, 16), probes(1.05, 3e-4, 16)];
        let shift = HostShift::of(&[same, apart], Thresholds::default()).expect("probes");
        assert!(!shift.alike && shift.interval.low <= 1.0 && shift.interval.high >= 1.05, "{shift:?}");
    }
}
