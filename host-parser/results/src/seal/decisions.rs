//! Exclusions as they are decided: each once, when the evidence first shows it.

use std::collections::BTreeSet;

use evidence::gate::{Exclusion, Scope};
use evidence::ledger::Ledger;
use serde::{Deserialize, Serialize};

use crate::RunRecord;

/// A round, a run or an iteration that was excluded.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The round, from 0; `None` if it is a run or an iteration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub round: Option<u32>,
    /// The run whose evidence shows it, or whose iteration it is; `None` if a native probe shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<u32>,
    /// The iteration, from 0; `None` if it is a round or a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iteration: Option<u16>,
    /// The reason's code.
    pub reason: String,
    /// What the evidence shows.
    pub detail: String,
}

/// What is excluded so far.
#[derive(Debug, Default)]
pub(super) struct Decisions {
    rounds: BTreeSet<u32>,
    runs: BTreeSet<u32>,
    iterations: BTreeSet<(u32, u16)>,
    /// How many pace checks were slow when the iterations were last looked at.
    slow: usize,
}

impl Decisions {
    /// What is excluded since the last call. `runs` are all runs so far.
    pub fn fresh(&mut self, ledger: &Ledger, runs: &[RunRecord]) -> Vec<Decision> {
        let mut fresh = Vec::new();
        for run in self.in_question(ledger, runs) {
            // Where no run is made again, the exclusion of its round says the same.
            let own = ledger.exclusion_of_run(run.run).filter(|_| ledger.repeats() > 0);
            if let Some(own) = own.filter(|_| self.runs.insert(run.run)) {
                fresh.push(Decision::of(&own, None));
            }
            let Some(measured) = run.verdict.outcome.measurement() else { continue };
            let own = measured.samples().iter().filter_map(|sample| sample.excluded.as_deref().cloned());
            let of_session = ledger.excluded_iterations(run.run).into_iter().filter(|_| !measured.is_alone());
            for exclusion in own.chain(of_session) {
                let Scope::Iteration { iteration, .. } = exclusion.scope else { continue };
                if self.iterations.insert((run.run, iteration)) {
                    fresh.push(Decision::of(&exclusion, Some(run.run)));
                }
            }
        }
        for (round, exclusion) in ledger.excluded_rounds() {
            if self.rounds.insert(round) {
                fresh.push(Decision::of(&exclusion, None));
            }
        }
        fresh
    }

    /// The runs whose iterations may have been excluded since: the last one, or all if a pace check was found slow.
    fn in_question<'r>(&mut self, ledger: &Ledger, runs: &'r [RunRecord]) -> &'r [RunRecord] {
        let slow = ledger.pace().map_or(0, |pace| pace.slow);
        let all = std::mem::replace(&mut self.slow, slow) != slow;
        if all { runs } else { &runs[runs.len().saturating_sub(1)..] }
    }
}

impl Decision {
    fn of(exclusion: &Exclusion, of_run: Option<u32>) -> Self {
        let (round, run, iteration) = match exclusion.scope {
            Scope::Round { round, run } => (Some(round), run, None),
            Scope::Run { run } => (None, Some(run), None),
            Scope::Iteration { iteration, run } => (None, run.or(of_run), Some(iteration)),
        };
        let reason = exclusion.reason.code().to_owned();
        Self { round, run, iteration, reason, detail: exclusion.detail.clone() }
    }
}

impl std::fmt::Display for Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (self.round, self.run, self.iteration) {
            (Some(round), ..) => write!(f, "round {}", round + 1)?,
            (None, Some(run), None) => write!(f, "run {run}")?,
            (None, Some(run), Some(iteration)) => write!(f, "iteration {iteration} of run {run}")?,
            _ => f.write_str("nothing that can be excluded")?,
        }
        write!(f, ", {}: {}", self.reason, self.detail)
    }
}
