//! How much work was done in a second, by the exact count of work that each log has.

use std::collections::BTreeMap;

use results::CaseRate;

use super::stored::{Measured, Stored};

/// The rates of all cases.
pub(super) struct Rates {
    /// What is counted; empty if that is not known.
    pub unit: String,
    /// Each case that has a time in nanoseconds.
    pub rates: Vec<CaseRate>,
}

/// The workload that ran.
pub(super) fn workload(stored: &Stored) -> Option<String> {
    stored.measured(|_| true).map(|of| of.identity.workload)
}

/// The rates of all cases; `None` if there is none.
pub(super) fn of_cases(stored: &Stored) -> Option<Rates> {
    let ours = || Some(workloads::by_name(&workload(stored)?)?.units().work.to_owned());
    let unit = stored.experiment.work_unit.clone().or_else(ours).unwrap_or_default();
    let mut known: BTreeMap<u16, Option<u64>> = BTreeMap::new();
    let mut rates = Vec::new();
    for (system, case) in stored.names() {
        let work = *known.entry(case).or_insert_with(|| {
            let measured = stored.measured(|of| of.samples.iter().any(|sample| sample.case == case))?;
            work(&measured, case)
        });
        let undisturbed = stored.cases.iter().find(|of| (of.system, of.case) == (system, case));
        let experienced = stored.experienced.iter().find(|of| (of.system, of.case) == (system, case));
        let nanos = match undisturbed {
            Some(of) => of.nanos,
            None => experienced.and_then(|of| of.nanos),
        };
        let nanos = nanos.map(|nanos| nanos.median);
        let functional = undisturbed.is_some_and(|of| of.functional_only.is_some());
        let rate = work.and_then(|work| CaseRate::of(system, case, work, nanos, undisturbed.is_some()));
        rates.extend(rate.map(|rate| rate.shows_function_only(functional)));
    }
    (!rates.is_empty()).then_some(Rates { unit, rates })
}

/// The work of all workers in one iteration of a case.
fn work(measured: &Measured, case: u16) -> Option<u64> {
    let sample = measured.samples.iter().find(|sample| sample.case == case)?;
    sample.workers.iter().try_fold(0_u64, |sum, worker| sum.checked_add(worker.work))
}
