//! The results of an experiment as data: their form.

use std::collections::BTreeMap;

use serde::Serialize;

use super::boot_cost::BootCost;
use super::compare::{Comparison, CostRow};
use super::environment::Environment;
use super::pace::Pace;
use super::probe::Probes;
use super::system::System;
use crate::diagnosis::Diagnosis;
use crate::disclosure::Publication;
use crate::{CaseStats, Claim, ClaimRule, Pairing};
use evidence::gate::{FunctionalOnly, HostEvidence, Measurement, Verdict};

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
    /// How long it was waited before it for the host's CPUs to be quick, in milliseconds; none where it was not.
    pub waited_ms: Option<u64>,
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
            waited_ms: None,
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
