//! From the runs of an experiment to its results.

use std::collections::BTreeMap;

use super::compare::{SystemComparison, costs};
use super::environment::Environment;
use super::model::{CaseRow, ClaimReport, Completion, Experiment, Results, SCHEMA, Tool};
use super::pace::{self, Pace};
use super::probe::Probes;
use super::run_record::RunRecord;
use super::set_aside::{self, disturbed_rounds};
use super::system::System;
use crate::disclosure::{Disclosure, Publication};
use crate::{Pairing, Series, claim};
use evidence::gate::{Measurement, ReasonCode};

impl Results {
    /// Works out the results of `runs`, which are in the order in which they were made, without any probe of the host.
    #[must_use]
    pub fn new(
        experiment: Experiment,
        environment: Environment,
        runs: Vec<RunRecord>,
        completion: Completion,
    ) -> Self {
        Self::probed(experiment, environment, Probes::default(), runs, completion)
    }

    /// Works out the results of `runs`, which are in the order in which they were made.
    #[must_use]
    pub fn probed(
        experiment: Experiment,
        environment: Environment,
        probes: Probes,
        mut runs: Vec<RunRecord>,
        completion: Completion,
    ) -> Self {
        let rounds_set_aside = disturbed_rounds(&runs, &probes);
        pace::mark(&mut runs);
        Self::of_rounds(experiment, environment, probes, runs, completion, rounds_set_aside)
    }

    /// The same where it is known which rounds and iterations count for nothing: of one side of several, whose runs alone do
    /// not tell how quick its CPUs can be.
    #[must_use]
    pub fn of_rounds(
        experiment: Experiment,
        environment: Environment,
        probes: Probes,
        mut runs: Vec<RunRecord>,
        completion: Completion,
        rounds_set_aside: BTreeMap<u32, String>,
    ) -> Self {
        let limit = experiment.set_aside_limit;
        set_aside::mark(&mut runs, &rounds_set_aside);
        let counted: Vec<&RunRecord> = runs.iter().filter(|run| run.set_aside.is_none()).collect();
        let series = series(experiment.pairing, &counted);
        let comparison = SystemComparison::new(&counted, &series);
        let comparable = comparison.as_ref().is_some_and(|comparison| comparison.comparable);
        let costs = costs(&counted, comparable);
        let incomplete = match completion {
            Completion::Complete => None,
            Completion::Partial { why } => Some(why),
        };
        let refusal = refusal(&runs, rounds_set_aside.len(), limit, incomplete.as_deref());
        let none = Series::default();
        let subject = series.values().next().unwrap_or(&none);
        let claim =
            experiment.claim.map(|rule| ClaimReport { rule, claim: claim(&rule, subject, refusal.clone()) });
        let rows = series.iter().flat_map(|(&system, series)| {
            series.stats().into_iter().map(move |stats| CaseRow { system, stats })
        });
        Self {
            schema: SCHEMA,
            tool: Tool::default(),
            experiment,
            complete: incomplete.is_none(),
            incomplete,
            environment,
            probes,
            pace: Pace::of(&runs),
            rounds_set_aside,
            cases: rows.collect(),
            runs,
            claim,
            costs,
            comparison,
            publication: None,
        }
    }

    /// The same, with what is disclosed of where its logs come from.
    #[must_use]
    pub fn with_disclosure(mut self, disclosure: Option<Disclosure>) -> Self {
        let measured = self.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
        self.publication = Some(Publication::new(disclosure, measured));
        self
    }

    /// The weightiest reason why a run did not pass, why the experiment is not complete, or why its systems cannot be
    /// compared.
    #[must_use]
    pub fn refusal(&self) -> Option<(ReasonCode, String)> {
        let limit = self.experiment.set_aside_limit;
        let set_aside = self.rounds_set_aside.len();
        let of_runs = refusal(&self.runs, set_aside, limit, self.incomplete.as_deref());
        of_runs.or_else(|| {
            let refusal = self.comparison.as_ref()?.refusal()?;
            Some((ReasonCode::NotComparable, format!("{}: {}", refusal.reason, refusal.detail)))
        })
    }
}

/// The samples of the runs that count, by system. A round that the host disturbed is gone for all of them.
fn series(pairing: Pairing, counted: &[&RunRecord]) -> BTreeMap<System, Series> {
    let mut passed: BTreeMap<System, Vec<(u32, &Measurement)>> = BTreeMap::new();
    for run in counted {
        if let Some(measurement) = run.verdict.outcome.measurement() {
            passed.entry(run.system).or_default().push((run.round, measurement));
        }
    }
    passed.into_iter().map(|(system, runs)| (system, Series::new(pairing, runs))).collect()
}

fn refusal(
    runs: &[RunRecord],
    set_aside: usize,
    limit: u32,
    incomplete: Option<&str>,
) -> Option<(ReasonCode, String)> {
    let of_account = runs.iter().filter(|run| !set_aside::is_of_no_account(run));
    let refused = of_account.filter_map(|run| Some((run, run.verdict.outcome.refusal()?)));
    let first = refused.min_by_key(|(run, (reason, _))| (*reason, run.run));
    let of_run = first.map(|(run, (reason, detail))| (reason, format!("run {}: {detail}", run.run)));
    let of_run = of_run.into_iter().chain(set_aside::too_many(set_aside, limit));
    let of_run = of_run.min_by_key(|(reason, _)| *reason);
    // That the experiment was stopped is why its last run did not pass.
    let incomplete = incomplete.map(|why| (ReasonCode::Incomplete, why.to_owned()));
    match (of_run, incomplete) {
        (Some((ReasonCode::Cancelled, _)), Some(incomplete)) => Some(incomplete),
        (of_run, incomplete) => of_run.or(incomplete),
    }
}
