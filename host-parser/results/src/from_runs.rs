//! From the runs of an experiment to its results.

use std::collections::BTreeMap;

use super::compare::{SystemComparison, costs};
use super::environment::Environment;
use super::exclude::{self, Lost, exclude_iterations};
use super::model::{CaseRow, ClaimReport, Completion, Experiment, Results, SCHEMA, Tool};
use super::not_run;
use super::run_record::RunRecord;
use super::selection::Selection;
use super::system::System;
use crate::claim::{Judged, claim};
use crate::disclosure::{Disclosure, Publication};
use crate::experienced::experienced;
use crate::{Pairing, Series};
use evidence::gate::{Exclusion, Measurement, ReasonCode};
use evidence::ledger::{Ledger, Probes};

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
        let ledger = Ledger::of(&runs, probes);
        exclude_iterations(&mut runs, &ledger);
        let (probes, rounds) = (ledger.probes().clone(), ledger.excluded_rounds());
        // The next step makes one of what is left.
        drop(ledger);
        Self::of_rounds(experiment, environment, probes, runs, completion, rounds)
    }

    /// Works out the results of `runs`, all or some of those in `ledger`: of one row of several, whose runs alone do not
    /// show how fast its CPUs can be, and whose rounds count only if they do in every row.
    #[must_use]
    pub fn of_session(
        experiment: Experiment,
        environment: Environment,
        ledger: &Ledger,
        mut runs: Vec<RunRecord>,
        completion: Completion,
    ) -> Self {
        exclude_iterations(&mut runs, ledger);
        exclude::exclude_runs(&mut runs, &experiment, ledger);
        let (probes, rounds) = (ledger.probes().clone(), ledger.excluded_rounds());
        let lost =
            experiment.repeats.map_or(0, |repeats| ledger.count_lost_runs(repeats.runs_per_round as usize));
        Self::of_excluded(experiment, environment, probes, runs, completion, (rounds, lost))
    }

    /// Works out the results of `runs` whose excluded rounds and iterations are known.
    #[must_use]
    pub fn of_rounds(
        experiment: Experiment,
        environment: Environment,
        probes: Probes,
        runs: Vec<RunRecord>,
        completion: Completion,
        excluded_rounds: BTreeMap<u32, Exclusion>,
    ) -> Self {
        Self::of_excluded(experiment, environment, probes, runs, completion, (excluded_rounds, 0))
    }

    /// The same, if it is also known how many runs do not count.
    fn of_excluded(
        experiment: Experiment,
        environment: Environment,
        probes: Probes,
        mut runs: Vec<RunRecord>,
        completion: Completion,
        (excluded_rounds, lost): (BTreeMap<u32, Exclusion>, usize),
    ) -> Self {
        exclude::mark(&mut runs, &excluded_rounds);
        let ledger = Ledger::of(&runs, Probes::default());
        let selection = Selection::of(experiment.pairing, &runs, &ledger, &probes);
        let pace = ledger.pace();
        // It grows with the runs, as what follows does.
        drop(ledger);
        let experienced = experienced(experiment.pairing, &runs);
        let counted: Vec<&RunRecord> = runs.iter().filter(|run| run.excluded.is_none()).collect();
        let series = series(experiment.pairing, &counted);
        let comparison = SystemComparison::new(&counted, &series);
        let comparable = comparison.as_ref().is_some_and(|comparison| comparison.comparable);
        let costs = costs(&counted, comparable);
        let over = matches!(completion, Completion::OutOfPatience { .. });
        let all_lost = Lost::of(&runs, &excluded_rounds, lost, over);
        let (incomplete, patience_over_after_ms) = match completion {
            Completion::Complete => (None, None),
            Completion::OutOfPatience { after_ms } => {
                (experiment.too_few_for_patience(all_lost.counted), Some(after_ms))
            }
            Completion::Partial { why } => (Some(why), None),
        };
        let not_run = not_run::not_run(&experiment, &runs);
        let too_many = exclude::too_many(&experiment, all_lost);
        let refusal = refusal(&runs, too_many, &selection, incomplete.as_deref());
        let claim = experiment.claim.map(|rule| {
            let (system, none) = (series.keys().next().copied().unwrap_or_default(), Series::default());
            let judged = Judged {
                system,
                runs: &runs,
                pairing: experiment.pairing,
                series: series.get(&system).unwrap_or(&none),
                cases: &experienced,
            };
            let refusal =
                refusal.or_else(|| not_run::refusal(&not_run, |case| [rule.from, rule.to].contains(&case)));
            ClaimReport { rule, claim: claim(&rule, &judged, refusal) }
        });
        let rows = series.iter().flat_map(|(&system, series)| {
            series.stats().into_iter().map(move |stats| CaseRow { system, stats })
        });
        let results = Self {
            schema: SCHEMA,
            tool: Tool::default(),
            runs_lost: experiment.repeats.map(|_| lost),
            patience_over_after_ms,
            experiment,
            complete: incomplete.is_none(),
            incomplete,
            environment,
            probes,
            pace,
            excluded_rounds,
            selection,
            cases: rows.collect(),
            experienced,
            runs,
            not_run,
            claim,
            costs,
            comparison,
            not_known: Vec::new(),
            publication: None,
        };
        results.with_rounds_numbered()
    }

    /// The same, with what is disclosed of the origin of its logs.
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
        let of_runs = refusal(&self.runs, self.too_many(), &self.selection, self.incomplete.as_deref());
        of_runs.or_else(|| {
            let refusal = self.comparison.as_ref()?.refusal()?;
            Some((ReasonCode::NotComparable, format!("{}: {}", refusal.reason, refusal.detail)))
        })
    }
}

impl Results {
    /// How many rounds have a run and are not excluded.
    #[must_use]
    pub fn rounds_that_count(&self) -> usize {
        self.all_lost().counted
    }

    /// How much does not count, and how much does.
    fn all_lost(&self) -> Lost {
        let (lost, over) = (self.runs_lost.unwrap_or(0), self.patience_over_after_ms.is_some());
        Lost::of(&self.runs, &self.excluded_rounds, lost, over)
    }

    /// The refusal, if the host disturbed more than may be.
    #[must_use]
    pub fn too_many(&self) -> Option<(ReasonCode, String)> {
        exclude::too_many(&self.experiment, self.all_lost())
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
    too_many: Option<(ReasonCode, String)>,
    selection: &Selection,
    incomplete: Option<&str>,
) -> Option<(ReasonCode, String)> {
    let of_account = runs.iter().filter(|run| !exclude::has_no_say(run));
    let refused = of_account.filter_map(|run| Some((run, run.verdict.outcome.refusal()?)));
    let first = refused.min_by_key(|(run, (reason, _))| (*reason, run.run));
    let of_run = first.map(|(run, (reason, detail))| (reason, format!("run {}: {detail}", run.run)));
    let of_run = of_run.into_iter().chain(too_many).chain(selection.refusal());
    let of_run = of_run.min_by_key(|(reason, _)| *reason);
    // That the experiment was stopped is why its last run did not pass.
    let incomplete = incomplete.map(|why| (ReasonCode::Incomplete, why.to_owned()));
    match (of_run, incomplete) {
        (Some((ReasonCode::Cancelled, _)), Some(incomplete)) => Some(incomplete),
        (of_run, incomplete) => of_run.or(incomplete),
    }
}
