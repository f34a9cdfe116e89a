//! The results of an experiment as data.

use std::collections::BTreeMap;

use serde::Serialize;

use super::boot_cost::BootCost;
use super::compare::{Comparison, CostRow, costs};
use super::environment::Environment;
use super::pace::Pace;
use super::probe::Probes;
use super::set_aside::{self, disturbed_rounds};
use super::system::System;
use crate::diagnosis::Diagnosis;
use crate::disclosure::{Disclosure, Publication};
use crate::gate::{FunctionalOnly, HostEvidence, Measurement, ReasonCode, Verdict};
use crate::stats::{CaseStats, Claim, ClaimRule, Pairing, Series, claim};

/// The version of the results' form. It is raised by a change that a reader of an older one would misread.
pub const SCHEMA: u32 = 2;

/// The results of an experiment. They are worked out once, by [`Results::new`], and then only read.
#[derive(Clone, Debug, Serialize)]
pub struct Results {
    /// [`SCHEMA`].
    pub schema: u32,
    /// What made the results.
    pub tool: Tool,
    /// What was to be done.
    pub experiment: Experiment,
    /// Whether all of it was done.
    pub complete: bool,
    /// Why not.
    pub incomplete: Option<String>,
    /// Where it was done.
    pub environment: Environment,
    /// What the host's own CPUs gave between the rounds.
    pub probes: Probes,
    /// How quick the guest's CPUs were beside their workers, in all runs that are held to speed.
    pub pace: Option<Pace>,
    /// The rounds that count for nothing, from 0, each with what the host did.
    pub rounds_set_aside: BTreeMap<u32, String>,
    /// Every run, in the order in which they were made, with its measurement or its reason.
    pub runs: Vec<RunRecord>,
    /// Every case of every system that has a passed run, summed up.
    pub cases: Vec<CaseRow>,
    /// What the experiment claims of the first of its systems, and what became of it.
    pub claim: Option<ClaimReport>,
    /// What it took to get to the results, where that is known.
    pub costs: Vec<CostRow>,
    /// The systems side by side, where there are several.
    pub comparison: Option<Comparison>,
    /// Whether the results can be published; none for runs of this tool's own, whose circumstances are in `environment`.
    pub publication: Option<Publication>,
}

/// A case of one system, summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct CaseRow {
    /// What ran the workers.
    pub system: System,
    /// The rest of the row.
    #[serde(flatten)]
    pub stats: CaseStats,
}

/// What made the results.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: "assay".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

/// What was to be done.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// This session's name among others of the same experiment.
    pub label: Option<String>,
    /// The manifest, where there is one.
    pub manifest: Option<String>,
    /// SHA-256 of the manifest.
    pub manifest_sha256: Option<String>,
    /// What a round is.
    pub pairing: Pairing,
    /// How many rounds there were to be.
    pub rounds: Option<u32>,
    /// How many rounds may be set aside for what the host did, and replaced; past that nothing is claimed.
    pub set_aside_limit: u32,
    /// The cases there were to be; empty where that is not known.
    pub cases: Vec<u16>,
    /// What the order of the runs was shuffled with.
    pub order_seed: Option<u64>,
    /// What it claims.
    pub claim: Option<ClaimRule>,
}

/// Whether all that was to be done was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Completion {
    /// It was.
    Complete,
    /// It was not.
    Partial {
        /// Why not, in words.
        why: String,
    },
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct RunRecord {
    /// Its place in the order in which runs were made, from 0.
    pub run: u32,
    /// The round it belongs to, from 0.
    pub round: u32,
    /// What ran its workers.
    pub system: System,
    /// The case it was made for; none where it has several, or is a log from elsewhere.
    pub case: Option<u16>,
    /// Its serial log.
    pub log: Option<String>,
    /// The exact command that ran the guest.
    pub command: Vec<String>,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: Option<u64>,
    /// How long it took by the host's clock, in milliseconds: evidence, never a measurement.
    pub wall_ms: Option<u64>,
    /// What it took to get to the result.
    pub boot: Option<BootCost>,
    /// The host CPUs in force, read back, as a list of numbers and ranges.
    pub host_cpus: Option<String>,
    /// Those that the thread of each vCPU could run on, by the CPU's number, read back; left out for what is no guest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vcpu_host_cpus: Vec<String>,
    /// What the host saw.
    pub evidence: HostEvidence,
    /// Set where the guest had more CPUs than the host, whatever came of the run.
    pub functional_only: Option<FunctionalOnly>,
    /// Why its round counts for nothing: what the host did in this run or in another of the round.
    pub set_aside: Option<String>,
    /// Why its guest died, as far as another guest shows it; no evidence, and no part of the verdict.
    pub diagnosis: Option<Diagnosis>,
    /// What the gate says: `outcome`, with `measurement` or `reason` and `detail`, and `findings`.
    #[serde(flatten)]
    pub verdict: Verdict<Measurement>,
}

impl RunRecord {
    /// A run with a verdict, of which nothing else is known. The other fields are there to be filled in.
    #[must_use]
    pub fn new(run: u32, round: u32, verdict: Verdict<Measurement>) -> Self {
        Self {
            run,
            round,
            system: System::default(),
            case: None,
            log: None,
            command: Vec::new(),
            started_unix_ms: None,
            wall_ms: None,
            boot: None,
            host_cpus: None,
            vcpu_host_cpus: Vec::new(),
            evidence: HostEvidence::default(),
            set_aside: None,
            diagnosis: None,
            functional_only: verdict.outcome.measurement().and_then(Measurement::functional_only),
            verdict,
        }
    }

    /// The same, with what the host saw.
    #[must_use]
    pub fn with_evidence(mut self, evidence: HostEvidence) -> Self {
        self.functional_only = self.functional_only.or(evidence.functional_only(None));
        self.evidence = evidence;
        self
    }
}

/// A claim and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ClaimReport {
    /// What is claimed.
    pub rule: ClaimRule,
    /// What became of it.
    #[serde(flatten)]
    pub claim: Claim,
}

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
        runs: Vec<RunRecord>,
        completion: Completion,
    ) -> Self {
        let rounds_set_aside = disturbed_rounds(&runs, &probes);
        Self::of_rounds(experiment, environment, probes, runs, completion, rounds_set_aside)
    }

    /// The same where it is known which rounds count for nothing: of one side of several, whose runs alone do not tell.
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
        let comparison = Comparison::new(&counted, &series);
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
