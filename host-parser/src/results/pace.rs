//! The pace of the guest's CPUs: how often each could read its TSC in the half millisecond just after its worker.
//!
//! Tells what nobody else sees: that a CPU was slow without being taken away, since something shared its core or it was
//! clocked lower. Sets no round aside: on a host whose cores are shared the pace changes within a run, so that this one
//! look at it tells of the host and not of the run.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::experiment::RunRecord;
use crate::gate::{Measurement, limits};

/// What the looks at the CPUs of a session showed.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct Pace {
    /// How many looks there were: one for each worker of each run that is held to speed.
    pub looks: usize,
    /// In how many of them the CPU was slow: below its quick times by more than [`limits::PACE_PER_MILLE`].
    pub slow: usize,
    /// By what part it was below its quick times at worst.
    pub worst: f64,
}

/// What paces are compared within: the same code on the same CPU beside as many others.
type Kind<'a> = (&'a str, &'a str, u16, u16);

impl Pace {
    /// What `runs` showed, each CPU held against its own quick times (the second-quickest, as for the probes); none where
    /// there was no look.
    #[must_use]
    pub fn of(runs: &[RunRecord]) -> Option<Self> {
        let mut by_kind: BTreeMap<Kind<'_>, Vec<u32>> = BTreeMap::new();
        for (kind, reads) in runs.iter().flat_map(of_run) {
            by_kind.entry(kind).or_default().push(reads);
        }
        let (mut looks, mut slow, mut worst) = (0, 0, 0.0_f64);
        for reads in by_kind.values_mut() {
            reads.sort_unstable_by(|a, b| b.cmp(a));
            let quick = f64::from(*reads.get(1).or(reads.first())?);
            for &reads in reads.iter() {
                let short = 1.0 - f64::from(reads) / quick;
                looks += 1;
                slow += usize::from(short * 1e3 > limits::PACE_PER_MILLE as f64);
                worst = worst.max(short);
            }
        }
        (looks > 0).then_some(Self { looks, slow, worst })
    }

    /// That of several sessions together.
    #[must_use]
    pub fn of_all(sessions: impl IntoIterator<Item = Self>) -> Option<Self> {
        sessions.into_iter().reduce(|one, other| Self {
            looks: one.looks + other.looks,
            slow: one.slow + other.slow,
            worst: one.worst.max(other.worst),
        })
    }
}

/// The looks of a run that is held to speed. A log of old has none.
fn of_run(run: &RunRecord) -> Vec<(Kind<'_>, u32)> {
    let held = |_: &&Measurement| run.functional_only.is_none();
    let Some(measured) = run.verdict.outcome.measurement().filter(held) else { return Vec::new() };
    let (system, build) = (measured.machine().system.as_str(), measured.identity().build.as_str());
    let samples = measured.samples().iter();
    let workers = samples.flat_map(|sample| sample.workers.iter().map(|worker| (sample.case, worker)));
    workers.map(|(case, worker)| ((system, build, case, worker.cpu), worker.reads_after)).collect()
}
