//! How often a claim is called `HOLDS` that the platform misses by 5 %.

use evidence::gate::ReasonCode;
use results::{Claim, Results};
use serde::Serialize;
use stats::Rate;

use crate::pattern::{PATTERNS, Pattern};
use crate::session::{SHAPES, Shape, session, truth};

/// The truth is this part of the claim that is tried.
const PART: f64 = 0.95;

/// The claim of our manifests, whose refusals on a host without platform slowness are counted.
const USUAL_CLAIM: f64 = 1.6;

/// Boots of each case for the truth.
const BOOTS: u32 = 600;

/// The sessions of one pattern and shape.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SelectionRow {
    /// The pattern.
    pub pattern: &'static str,
    /// Whether the platform itself slows two workers.
    pub platform: bool,
    /// The session's shape.
    pub shape: &'static str,
    /// The ratio of the mean times, with nothing left out: over many boots, without any rule.
    pub truth: f64,
    /// The claim, which the truth is 5 % below.
    pub claim: f64,
    /// How the sessions ended that made this claim.
    pub ends: Ends,
    /// How often it was called `HOLDS` or `holds-undisturbed`.
    pub held: Rate,
    /// How the sessions ended that made the usual claim of 1.6.
    pub usual: Ends,
}

/// How sessions ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Ends {
    /// `HOLDS`.
    pub holds: usize,
    /// `holds-undisturbed`.
    pub holds_undisturbed: usize,
    /// `DOES NOT HOLD`.
    pub does_not_hold: usize,
    /// `INCONCLUSIVE`.
    pub inconclusive: usize,
    /// Refused because the exclusions depend on the case.
    pub selection_by_shares: usize,
    /// Refused because the claim holds only by what is left out.
    pub selection_by_gap: usize,
    /// Refused as `host-contended`.
    pub host_contended: usize,
    /// Refused for another reason.
    pub other: usize,
}

/// All patterns in all shapes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SelectionQuality {
    /// The seed.
    pub seed: u64,
    /// Sessions of each row and claim.
    pub sessions: usize,
    /// One row for each pattern and shape.
    pub rows: Vec<SelectionRow>,
}

impl SelectionQuality {
    /// The highest rate of claims called `HOLDS` that the truth is 5 % below.
    pub const MOST: f64 = 0.02;

    /// Makes `sessions` sessions of every pattern in every shape, and as many with the usual claim.
    #[must_use]
    pub fn of(sessions: usize, seed: u64) -> Self {
        let rows =
            PATTERNS.iter().flat_map(|pattern| SHAPES.map(|shape| row(pattern, shape, sessions, seed)));
        Self { seed, sessions, rows: rows.collect() }
    }

    /// Whether no row has more than [`Self::MOST`].
    #[must_use]
    pub fn reached(&self) -> bool {
        self.rows.iter().all(|row| row.held.rate <= Self::MOST)
    }
}

impl Ends {
    fn add(&mut self, results: &Results) {
        *match results.claim.as_ref().map(|report| &report.claim) {
            Some(Claim::Holds(_)) => &mut self.holds,
            Some(Claim::HoldsUndisturbed(_)) => &mut self.holds_undisturbed,
            Some(Claim::DoesNotHold(_)) => &mut self.does_not_hold,
            Some(Claim::Inconclusive(_)) => &mut self.inconclusive,
            Some(Claim::NotMade { reason: ReasonCode::Selection, .. }) => match results.selection.found() {
                Some(_) => &mut self.selection_by_shares,
                None => &mut self.selection_by_gap,
            },
            Some(Claim::NotMade { reason: ReasonCode::HostContended, .. }) => &mut self.host_contended,
            _ => &mut self.other,
        } += 1;
    }
}

/// The sessions of one pattern and shape.
pub(crate) fn row(pattern: &Pattern, shape: Shape, sessions: usize, seed: u64) -> SelectionRow {
    let truth = truth(pattern, shape, BOOTS, seed);
    let claim = truth / PART;
    let (mut ends, mut usual) = (Ends::default(), Ends::default());
    for number in 0..sessions as u64 {
        let of_session = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number);
        ends.add(&session(pattern, shape, claim, of_session));
        usual.add(&session(pattern, shape, USUAL_CLAIM, of_session));
    }
    let held = Rate::exact(ends.holds + ends.holds_undisturbed, sessions);
    let held = held.expect("there is a session");
    let (pattern, platform) = (pattern.name, pattern.platform);
    SelectionRow { pattern, platform, shape: shape.name, truth, claim, ends, held, usual }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[ignore = "prints the table; minutes in the release profile"]
    fn prints_the_table() {
        let sessions = std::env::var("SESSIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(100);
        let begun = std::time::Instant::now();
        for pattern in PATTERNS {
            for shape in SHAPES {
                let row = row(pattern, shape, sessions, 1);
                let (e, u) = (row.ends, row.usual);
                println!(
                    "{:<52}{:<12} truth {:.3} claim {:.3} held {:>5.1} % | H {} U {} no {} inc {} sel {} gap {} cont {} other {} | 1.6: H {} U {} no {} inc {} sel {} gap {} cont {} other {} | {:.0?}",
                    row.pattern,
                    row.shape,
                    row.truth,
                    row.claim,
                    row.held.rate * 100.0,
                    e.holds,
                    e.holds_undisturbed,
                    e.does_not_hold,
                    e.inconclusive,
                    e.selection_by_shares,
                    e.selection_by_gap,
                    e.host_contended,
                    e.other,
                    u.holds,
                    u.holds_undisturbed,
                    u.does_not_hold,
                    u.inconclusive,
                    u.selection_by_shares,
                    u.selection_by_gap,
                    u.host_contended,
                    u.other,
                    begun.elapsed()
                );
            }
        }
    }
}
