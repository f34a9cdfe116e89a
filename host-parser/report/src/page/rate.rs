//! How much work was done in a second, by the exact count of work that each log has.

use std::collections::{BTreeMap, BTreeSet};

use super::stored::{Measured, Stored};
use crate::number::grouped;

/// The work of each case.
pub(super) struct Rates {
    /// What is counted.
    pub unit: String,
    work: BTreeMap<u16, u64>,
}

/// The workload that ran.
pub(super) fn workload(stored: &Stored) -> Option<String> {
    stored.measured(|_| true).map(|of| of.identity.workload)
}

/// The work of all cases; `None` if its unit is not known, as of a program that is not one of ours in a log without its
/// manifest.
pub(super) fn of_cases(stored: &Stored) -> Option<Rates> {
    let ours = || Some(workloads::by_name(&workload(stored)?)?.units().work.to_owned());
    let unit = stored.experiment.work_unit.clone().or_else(ours)?;
    let cases: BTreeSet<u16> = stored.names().into_iter().map(|(_, case)| case).collect();
    let work = cases.into_iter().filter_map(|case| {
        let measured = stored.measured(|of| of.samples.iter().any(|sample| sample.case == case))?;
        Some((case, work(&measured, case)?))
    });
    Some(Rates { unit, work: work.collect() })
}

/// The work of all workers in one iteration of a case.
fn work(measured: &Measured, case: u16) -> Option<u64> {
    let sample = measured.samples.iter().find(|sample| sample.case == case)?;
    sample.workers.iter().try_fold(0_u64, |sum, worker| sum.checked_add(worker.work))
}

impl Rates {
    /// The work that a case does in a second, if it takes `nanos` ns.
    pub fn of(&self, case: u16, nanos: Option<f64>) -> Option<f64> {
        let nanos = nanos.filter(|&nanos| nanos > 0.0)?;
        Some(*self.work.get(&case)? as f64 * 1e9 / nanos)
    }
}

/// A rate in at most seven characters: `193.1 M`.
pub(super) fn shown(rate: f64) -> String {
    let scales = [(1e12, " T"), (1e9, " G"), (1e6, " M"), (1e3, " k")];
    match scales.into_iter().find(|(scale, _)| rate >= *scale) {
        Some((scale, letter)) => format!("{}{letter}", grouped(rate / scale, 1)),
        None => grouped(rate, 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_keeps_four_figures_at_most() {
        for (rate, text) in [(0.25, "0.2"), (999.0, "999.0"), (193_100_000.0, "193.1 M"), (2.5e12, "2.5 T")] {
            assert_eq!(shown(rate), text);
        }
    }
}
