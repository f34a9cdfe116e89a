//! The results of an experiment as data: their form.

use std::collections::BTreeMap;
use std::fmt;

use evidence::gate::{Exclusion, Scaling};
use evidence::ledger::{Pace, Probes};
use serde::{Deserialize, Serialize};

use super::compare::{CostRow, SystemComparison};
use super::environment::Environment;
use super::not_run::NotRun;
use super::run_record::RunRecord;
use super::selection::Selection;
use super::system::System;
use crate::disclosure::Publication;
use crate::{CaseStats, Claim, ClaimRule, ExperiencedCase, Pairing};

/// The version of the results' form. It is raised by a change that a reader of an older one would misread.
pub const SCHEMA: u32 = 4;

/// The results of an experiment. They are worked out once, by [`Results::new`], and then only read.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
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
    /// What the host's own CPUs gave between the rounds, which count from 1 here.
    pub probes: Probes,
    /// The pace checks of all runs that are held to speed.
    pub pace: Option<Pace>,
    /// The excluded rounds, from 1, each with what the host did.
    #[serde(rename = "rounds_set_aside")]
    pub excluded_rounds: BTreeMap<u32, Exclusion>,
    /// How many runs do not count, if a disturbed run is made again: those of excluded rounds, each of which stands for at
    /// least as many as a round has, and the disturbed ones of the others. In all rows of the session.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runs_lost: Option<usize>,
    /// How long the session had taken when its patience was over, in milliseconds; `None` if all rounds were made in time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience_over_after_ms: Option<u64>,
    /// How much was excluded of each case and system, and whether that depends on which it is.
    pub selection: Selection,
    /// Every run, in the order in which they were made, with its measurement or its reason.
    pub runs: Vec<RunRecord>,
    /// The cases that were asked for and did not run.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub not_run: Vec<NotRun>,
    /// Undisturbed: every case of every system that has a run that counts, summed up over the runs that do.
    pub cases: Vec<CaseRow>,
    /// As experienced: every case of every system that has a time, over all runs that were made.
    pub experienced: Vec<ExperiencedCase>,
    /// What the experiment claims of the first of its systems, and what became of it.
    pub claim: Option<ClaimReport>,
    /// What it took to get to the results, if known.
    pub costs: Vec<CostRow>,
    /// The systems side by side, if there are several.
    pub comparison: Option<SystemComparison>,
    /// What logs from elsewhere leave open, in words; empty for runs of this tool's own.
    pub not_known: Vec<String>,
    /// Whether the results can be published; none for runs of this tool's own, whose circumstances are in `environment`.
    pub publication: Option<Publication>,
}

/// A case of one system, summed up.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CaseRow {
    /// What ran the workers.
    pub system: System,
    /// The rest of the row.
    #[serde(flatten)]
    pub stats: CaseStats,
}

/// What made the results.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// The commit that it was built from: twelve digits, and ` dirty` if the source had other changes; `unknown` if the
    /// build could not determine it. `None` if a library made the results, and no tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

impl fmt::Display for Tool {
    /// `assay 0.1.0 (0123456789ab)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, version, commit } = self;
        match commit {
            Some(commit) => write!(f, "{name} {version} ({commit})"),
            None => write!(f, "{name} {version}"),
        }
    }
}

impl Default for Tool {
    fn default() -> Self {
        Self { name: "assay".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), commit: None }
    }
}

/// What was to be done.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Experiment {
    /// Its name.
    pub name: String,
    /// This session's name among others of the same experiment.
    pub label: Option<String>,
    /// The manifest, if there is one.
    pub manifest: Option<String>,
    /// SHA-256 of the manifest.
    pub manifest_sha256: Option<String>,
    /// What a round is.
    pub pairing: Pairing,
    /// How many rounds there were to be.
    pub rounds: Option<u32>,
    /// How many rounds may be excluded and replaced. If more are, there is no claim. With [`Self::repeats`] its limit of
    /// runs counts in place of this one.
    pub set_aside_limit: u32,
    /// How a run that the host disturbed is made again; `None` if its round is replaced at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<Repeats>,
    /// The cases there were to be; empty if that is not known.
    pub cases: Vec<u16>,
    /// How long the session may take, in milliseconds from its first run on, in place of a limit of what may be lost;
    /// `None` if the limit counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_ms: Option<u64>,
    /// What the order of the runs was shuffled with.
    pub order_seed: Option<u64>,
    /// What it claims.
    pub claim: Option<ClaimRule>,
    /// How the work grows with the workers; `None` for strong scaling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,
    /// The unit of the work of a program that is not Assay's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub work_unit: Option<String>,
}

impl Experiment {
    /// Whether each worker does the whole, so that the time of one worker divided by that of n is the efficiency.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.scaling == Some(Scaling::Weak)
    }
}

/// How a run that the host disturbed is made again in its round.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Repeats {
    /// How often at most.
    pub times: u32,
    /// How many runs a round has.
    pub runs_per_round: u32,
    /// How many runs may not count. If more do not, there is no claim.
    pub limit: u32,
}

/// Whether all that was to be done was done.
#[derive(Clone, Debug, PartialEq)]
pub enum Completion {
    /// It was.
    Complete,
    /// Its time was over, and every round that was begun is whole.
    OutOfPatience {
        /// How long it had taken, in milliseconds.
        after_ms: u64,
    },
    /// It was not.
    Partial {
        /// Why not, in words.
        why: String,
    },
}

/// A claim and what became of it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ClaimReport {
    /// What is claimed.
    pub rule: ClaimRule,
    /// What became of it.
    #[serde(flatten)]
    pub claim: Claim,
}
