//! The comparison as data: the proof, what the command lines differ in, and the ratios round by round.

use std::collections::BTreeMap;

use serde::Serialize;
use stats::PairedRatio;

use super::equivalence::{self, Passed, Same};
use super::options::{OptionDifference, Options};
use super::reason::Refusal;
use crate::run_record::RunRecord;
use crate::series::Series;
use crate::system::System;

/// Several systems side by side.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SystemComparison {
    /// The systems, in the order of rows. The first is the subject.
    pub systems: Vec<System>,
    /// Whether the rows may be compared; then there are ratios.
    pub comparable: bool,
    /// All that differs and may not, the reason first.
    pub findings: Vec<Refusal>,
    /// What was shown to be the same.
    pub same: Vec<Same>,
    /// What the other systems' QEMU commands have and the subject's has not, and the other way round, for one case.
    pub differences: Vec<OptionDifference>,
    /// Each system's speed-up divided by that of the systems in `AGAINST`.
    pub ratios: Vec<RatioRow>,
}

/// How a system's speed-up compares with another's in one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RatioRow {
    /// The system.
    pub system: System,
    /// The system that it is compared with.
    pub against: System,
    /// The case; the speed-up is against the smallest.
    pub case: u16,
    /// Set if either ran with more CPUs than the host has: then it shows function, and is part of no claim.
    pub functional_only: bool,
    /// The ratio, by rounds.
    #[serde(flatten)]
    pub ratio: PairedRatio,
}

/// The systems that others are compared with: the yardstick and the ceiling.
const AGAINST: [System; 2] = [System::Linux, System::Native];

impl SystemComparison {
    /// Compares the systems of `series`; `None` if there are fewer than two. `runs` has only runs that count.
    pub(crate) fn new(runs: &[&RunRecord], series: &BTreeMap<System, Series>) -> Option<Self> {
        if series.len() < 2 {
            return None;
        }
        let passed: Vec<Passed<'_>> =
            runs.iter().filter_map(|run| Some((*run, run.verdict.outcome.measurement()?))).collect();
        let proof = equivalence::prove(&passed);
        let comparable = proof.findings.is_empty();
        let systems: Vec<System> = series.keys().copied().collect();
        Some(Self {
            differences: differences(systems[0], runs),
            ratios: if comparable { ratios(series) } else { Vec::new() },
            systems,
            comparable,
            findings: proof.findings,
            same: proof.same,
        })
    }

    /// Why nothing is compared.
    #[must_use]
    pub fn refusal(&self) -> Option<&Refusal> {
        self.findings.first()
    }

    /// The ratio of a system's speed-up to another's.
    #[must_use]
    pub fn ratio(&self, system: System, against: System, case: u16) -> Option<&RatioRow> {
        self.ratios.iter().find(|row| (row.system, row.against, row.case) == (system, against, case))
    }
}

fn ratios(series: &BTreeMap<System, Series>) -> Vec<RatioRow> {
    let mut rows = Vec::new();
    for (&system, ours) in series {
        for &against in AGAINST.iter().filter(|&&against| against != system) {
            let Some(theirs) = series.get(&against) else { continue };
            let cases = ours.cases();
            let Some(&smallest) = cases.first() else { continue };
            for &case in &cases[1..] {
                let [a, b] = [ours, theirs].map(|series| series.speedups(smallest, case));
                let Some(ratio) = PairedRatio::of(&a, &b) else { continue };
                let functional_only = [ours, theirs].iter().any(|s| s.functional_only(case).is_some());
                rows.push(RatioRow { system, against, case, functional_only, ratio });
            }
        }
    }
    rows
}

/// What differs between the subject's command and each other's, for the smallest case that both ran. A native run has
/// no QEMU to compare.
fn differences(subject: System, runs: &[&RunRecord]) -> Vec<OptionDifference> {
    let mut first: BTreeMap<(System, Option<u16>), &RunRecord> = BTreeMap::new();
    for run in runs.iter().filter(|run| run.system != System::Native && !run.made.command.is_empty()) {
        first.entry((run.system, run.case)).or_insert(run);
    }
    let others: std::collections::BTreeSet<System> = first.keys().map(|(system, _)| *system).collect();
    let mut found = Vec::new();
    for &system in others.iter().filter(|&&system| system != subject) {
        let both = first.iter().filter(|((of, _), _)| *of == subject);
        let pair = both.filter_map(|((_, case), ours)| Some((ours, first.get(&(system, *case))?))).next();
        let Some((ours, theirs)) = pair else { continue };
        if let (Some(ours), Some(theirs)) = (Options::of_run(ours), Options::of_run(theirs)) {
            found.extend(ours.differences(system, &theirs));
        }
    }
    found
}
