//! From the runs of a session that count to the times of its cases.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use abi::Digest;
use evidence::gate::{Basis, FunctionalOnly, Measurement, Sample};
use evidence::ledger::enough_left;
use serde::Serialize;
use stats::Summary;

use super::figures::Figures;
use crate::series::Pairing;
use crate::{Experiment, RunRecord};

/// A boot with fewer iterations has too few pace checks to be measured by pace.
const LEAST_ITERATIONS: usize = 4;

/// The runs of a case.
#[derive(Clone, Debug, Default)]
pub struct SessionCase {
    /// The plans' digests: one, unless something is wrong.
    pub plans: HashSet<Digest>,
    /// What each worker was given.
    pub splits: BTreeSet<Vec<[u64; 4]>>,
    /// How often it was run in a boot.
    pub iterations: BTreeSet<usize>,
    /// The figures of its makespans.
    pub makespan: Figures,
    /// The same of the longest worker.
    pub longest: Figures,
    /// The pace of the CPUs in boots with enough iterations that have pace checks, in readings: the median of the iterations.
    pub pace: BTreeMap<u32, f64>,
    /// How many iterations of its rounds there were, and how many of them are excluded.
    pub share: Excluded,
    /// The part of its iterations that each boot lost, of all boots that were made except further attempts.
    pub lost: Vec<f64>,
    /// Set if the clocks of a run were not shown to be in step: then its makespan is not to be believed.
    pub out_of_step: bool,
    /// Set if the guest had more CPUs than the host.
    pub functional_only: Option<FunctionalOnly>,
}

/// How much of the rounds that count is excluded.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Excluded {
    /// Iterations of the rounds that count.
    pub iterations: usize,
    /// Those of them that are excluded.
    pub excluded: usize,
}

impl SessionCase {
    /// The number of rounds that count.
    #[must_use]
    pub fn rounds(&self) -> usize {
        self.makespan.quick.clock.len()
    }

    /// Whether a boot has several iterations: then its quartile, its median and its mean are different figures.
    #[must_use]
    pub fn has_iterations(&self) -> bool {
        self.iterations.iter().any(|&iterations| iterations > 1)
    }
}

/// Sorts the measurements by case and round.
pub(super) fn cases(passed: &[(&RunRecord, &Measurement)]) -> Result<BTreeMap<u16, SessionCase>, String> {
    let mut cases: BTreeMap<u16, SessionCase> = BTreeMap::new();
    for (run, measured) in passed {
        let samples = measured.samples();
        if run.case.is_none() {
            let detail =
                "has all cases in one boot: its iterations share that boot's luck, and are no rounds";
            return Err(format!("run {}: {detail}; compare sessions whose rounds are boots", run.run));
        }
        let Some(case) = run.case.filter(|&case| samples.iter().all(|sample| sample.case == case)) else {
            return Err(format!("run {}: its log is not of the one case {:?}", run.run, run.case));
        };
        let of_case = cases.entry(case).or_default();
        let counted: Vec<&Sample> = samples.iter().filter(|sample| sample.excluded.is_none()).collect();
        if !enough_left(counted.len(), samples.len()) {
            let (left, all) = (counted.len(), samples.len());
            return Err(format!("run {}: {left} of its {all} iterations count, which are too few", run.run));
        }
        if counted.is_empty() {
            return Err(format!("run {}: its log has no sample", run.run));
        }
        let paces = counted.iter().map(|sample| sample.pace()).collect::<Option<Vec<f64>>>();
        let paces = paces.filter(|_| samples.len() >= LEAST_ITERATIONS);
        of_case.pace.extend(paces.as_deref().and_then(Summary::of).map(|paces| (run.round, paces.median)));
        if of_case.makespan.quick.clock.contains_key(&run.round) {
            return Err(format!("round {} has case {case} twice", run.round));
        }
        of_case.longest.add(run.round, samples, &counted, paces.as_deref(), Sample::longest);
        of_case.makespan.add(run.round, samples, &counted, paces.as_deref(), Sample::makespan);
        of_case.share.iterations += samples.len();
        of_case.share.excluded += samples.len() - counted.len();
        of_case.out_of_step |= samples.iter().any(|sample| sample.basis == Basis::LongestWorker);
        of_case.plans.insert(measured.identity().work);
        of_case.iterations.insert(samples.len());
        let given = |sample: &Sample| sample.workers.iter().map(|worker| worker.task.params).collect();
        of_case.splits.extend(samples.iter().map(given));
        of_case.functional_only = of_case.functional_only.or(measured.functional_only());
    }
    Ok(cases)
}

/// That as many rounds count as were to, each with every case. With patience it may be more, and fewer if the time was over:
/// then every round that counts has every case.
pub(super) fn as_many_as_asked_for(
    asked: &Experiment,
    cases: &BTreeMap<u16, SessionCase>,
    out_of_patience: bool,
) -> Result<(), String> {
    let Some(rounds) = asked.rounds.filter(|_| asked.pairing == Pairing::Runs) else { return Ok(()) };
    let of_all: BTreeSet<&u32> = cases.values().flat_map(|case| case.makespan.quick.clock.keys()).collect();
    let rounds = match asked.patience_ms {
        Some(_) if out_of_patience => u32::try_from(of_all.len()).unwrap_or(u32::MAX),
        Some(_) => rounds.max(u32::try_from(of_all.len()).unwrap_or(u32::MAX)),
        None => rounds,
    };
    for case in &asked.cases {
        let count = cases.get(case).map_or(0, |case| case.rounds());
        if u32::try_from(count) != Ok(rounds) {
            return Err(format!("{count} rounds of case {case} count, {rounds} were requested"));
        }
    }
    if u32::try_from(of_all.len()) != Ok(rounds) {
        return Err(format!("a case is missing from a round: of {rounds}, {} have one", of_all.len()));
    }
    Ok(())
}

/// The median of the runs' TSC frequencies, in kHz, if all of them know theirs.
pub(super) fn khz(passed: &[(&RunRecord, &Measurement)]) -> Option<f64> {
    let each = passed.iter().map(|(_, measured)| Some(measured.clock().tsc.as_ref()?.khz as f64));
    Some(Summary::of(&each.collect::<Option<Vec<f64>>>()?)?.median)
}

/// From when to when each round was made, in milliseconds since 1970, if known.
pub(super) fn spans(passed: &[(&RunRecord, &Measurement)]) -> BTreeMap<u32, (u64, u64)> {
    let mut spans = BTreeMap::new();
    for (run, _) in passed {
        let Some((start, wall)) = run.made.started_unix_ms.zip(run.made.wall_ms) else { continue };
        let (from, to) = spans.entry(run.round).or_insert((u64::MAX, 0));
        (*from, *to) = ((*from).min(start), (*to).max(start.saturating_add(wall)));
    }
    spans
}
