//! The part of results.json that is read back. What else is in it is passed over.

use std::collections::BTreeSet;

use evidence::gate::HostEvidence;
use evidence::ledger::{Pace, Probes};
use serde::Deserialize;

use crate::environment::Environment;
use crate::series::Pairing;

/// results.json.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    pub schema: u32,
    pub experiment: IndexExperiment,
    pub complete: bool,
    pub incomplete: Option<String>,
    pub environment: Environment,
    /// Results from before there were any have none.
    #[serde(default)]
    pub probes: Probes,
    #[serde(default)]
    pub pace: Option<Pace>,
    pub runs: Vec<IndexRun>,
}

/// What was to be done.
#[derive(Debug, Deserialize)]
pub(super) struct IndexExperiment {
    pub name: String,
    pub label: Option<String>,
    pub pairing: Pairing,
    pub rounds: Option<u32>,
    pub set_aside_limit: u32,
    pub cases: Vec<u16>,
    #[serde(default)]
    pub order_seed: Option<u64>,
}

/// A run.
#[derive(Debug, Deserialize)]
pub(super) struct IndexRun {
    pub run: u32,
    pub round: u32,
    /// What ran its workers; results from before there were others have none.
    #[serde(default = "assay")]
    pub system: String,
    pub case: Option<u16>,
    pub log: Option<String>,
    pub started_unix_ms: Option<u64>,
    pub wall_ms: Option<u64>,
    pub evidence: HostEvidence,
    pub set_aside: Option<String>,
    /// Present if the run passed.
    #[serde(default)]
    pub measurement: Option<IndexMeasurement>,
}

impl IndexRun {
    /// The iterations that results.json excludes. It knows the pace checks of all rows.
    pub fn excluded_iterations(&self) -> BTreeSet<u16> {
        let samples = self.measurement.iter().flat_map(|measurement| &measurement.samples);
        samples.filter(|sample| sample.set_aside.is_some()).map(|sample| sample.iteration).collect()
    }
}

/// What a run measured: of that, which of its iterations count for nothing.
#[derive(Debug, Deserialize)]
pub(super) struct IndexMeasurement {
    pub samples: Vec<IndexSample>,
}

/// An iteration of a case.
#[derive(Debug, Deserialize)]
pub(super) struct IndexSample {
    pub iteration: u16,
    #[serde(default)]
    pub set_aside: Option<String>,
}

/// The system whose runs are compared.
pub(super) const SYSTEM: &str = "assay";

fn assay() -> String {
    SYSTEM.to_owned()
}
