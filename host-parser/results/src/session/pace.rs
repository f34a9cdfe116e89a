//! Whether two sides are compared by the clock alone, or by the pace of their CPUs.
//!
//! On a host that others use too, a core's clock moves by some percent with what its neighbours do, for a run or for some.
//! The pace checks on both sides of an iteration show it: the same work by the same kernel on the same CPU, half a millisecond
//! before and after. An iteration's time multiplied by how many readings those had is its time in units of that work,
//! from which the clock is gone. It is what a counter of unhalted core cycles would show, if guests had one.

use std::collections::BTreeMap;

use stats::{Design, Difference, compare_at};

use super::StoredSession;
use super::counted::SessionCase;

impl SessionCase {
    /// Its times by round: makespans, or those of the longest worker, in cycles, or by pace in cycles times readings.
    #[must_use]
    pub fn times(&self, longest_worker: bool, by_pace: bool) -> &BTreeMap<u32, f64> {
        match (longest_worker, by_pace) {
            (false, false) => &self.makespan,
            (true, false) => &self.longest,
            (false, true) => &self.makespan_by_pace,
            (true, true) => &self.longest_by_pace,
        }
    }

    /// Whether all of its rounds have times by pace.
    fn has_paces(&self) -> bool {
        !self.pace.is_empty() && self.pace.len() == self.makespan.len()
    }
}

/// Whether a case of two sides is compared by pace. It is if both had the same kernel and the same QEMU, whose pace checks
/// are the same work, if every round has enough iterations with checks, and if the paces themselves do not differ. A
/// difference may be a side's own doing (wide vector instructions lower the clock), and must stay in its time.
#[must_use]
pub fn by_pace(a: &StoredSession, b: &StoredSession, case: u16, design: Design, level: f64) -> bool {
    let qemu = |session: &StoredSession| session.environment.qemu.as_ref().map(|qemu| qemu.version.clone());
    let same_work = a.identity.build == b.identity.build && qemu(a) == qemu(b);
    let (Some(of_a), Some(of_b)) = (a.cases.get(&case), b.cases.get(&case)) else { return false };
    if !(same_work && of_a.has_paces() && of_b.has_paces()) {
        return false;
    }
    let paces =
        |case: &SessionCase| case.pace.iter().map(|(&round, &pace)| (round, pace)).collect::<Vec<_>>();
    let compared = compare_at(level, design, &paces(of_a), &paces(of_b));
    compared.is_some_and(|found| !matches!(found.verdict, Difference::Slower | Difference::Faster))
}
