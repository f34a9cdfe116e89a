//! A figure of two sides, compared by the clock or by the pace of their CPUs.
//!
//! On a host that others use too, a core's clock moves by some percent with what its neighbours do, for a run or for some.
//! The pace checks on both sides of an iteration show it: the same work by the same kernel on the same CPU, half a millisecond
//! before and after. An iteration's time multiplied by how many readings those had is its time in units of that work,
//! from which the clock is gone. It is what a counter of unhalted core cycles would show, if guests had one.
//! [`stats::compare_by_pace`] decides how far the clock may be left out.

use stats::{Comparison, Design, Measure, Thresholds, compare_by_pace, compare_with};

use super::StoredSession;
use super::counted::SessionCase;
use super::figures::{ByRound, Figure, Timed};

impl SessionCase {
    /// One of its figures by round: of makespans, or of the longest worker.
    #[must_use]
    pub const fn figure(&self, figure: Figure, longest_worker: bool) -> &Timed {
        if longest_worker { self.longest.of(figure) } else { self.makespan.of(figure) }
    }

    /// Whether all of its rounds have times by pace.
    fn has_paces(&self) -> bool {
        !self.pace.is_empty() && self.pace.len() == self.rounds()
    }
}

/// Whether the pace checks of a case are the same work in both sessions (one kernel, one VMM), and every round of both has
/// enough iterations with checks.
#[must_use]
pub fn has_comparable_paces(a: &StoredSession, b: &StoredSession, case: u16) -> bool {
    let same_vmm = a.environment.vmm_name() == b.environment.vmm_name()
        && a.environment.vmm_version() == b.environment.vmm_version();
    let same_work = a.identity.build == b.identity.build && same_vmm;
    let (Some(of_a), Some(of_b)) = (a.cases.get(&case), b.cases.get(&case)) else { return false };
    same_work && of_a.has_paces() && of_b.has_paces()
}

/// What two cases are compared by.
#[derive(Clone, Copy)]
pub(super) struct Terms {
    pub held_to: Thresholds,
    pub design: Design,
    pub longest_worker: bool,
    /// Nanoseconds for each cycle, of A and of B; both 1 if cycles are compared.
    pub unit: [f64; 2],
    /// Whether the paces may be used.
    pub paces: bool,
}

/// Compares one figure of a case. `None` if a side has nothing to compare.
pub(super) fn compare_figure(
    cases: [&SessionCase; 2],
    figure: Figure,
    terms: &Terms,
) -> Option<(Measure, Comparison)> {
    let of = cases.map(|case| case.figure(figure, terms.longest_worker));
    let clock = [0, 1].map(|side| rounds(&of[side].clock, terms.unit[side]));
    if !terms.paces || figure == Figure::Experienced {
        let compared = compare_with(terms.held_to, terms.design, &clock[0], &clock[1])?;
        return Some((Measure::Clock, compared));
    }
    let by_pace = of.map(|timed| rounds(&timed.by_pace, 1.0));
    let paces = cases.map(|case| rounds(&case.pace, 1.0));
    compare_by_pace(
        terms.held_to,
        terms.design,
        [&clock[0], &clock[1]],
        [&by_pace[0], &by_pace[1]],
        [&paces[0], &paces[1]],
    )
}

fn rounds(times: &ByRound, unit: f64) -> Vec<(u32, f64)> {
    times.iter().map(|(&round, time)| (round, time * unit)).collect()
}
