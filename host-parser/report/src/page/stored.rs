//! results.json as the page reads it: the fields that a person looks at. The samples are skipped, so that a session of a
//! thousand rounds is read at once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, UNIX_EPOCH};

use results::{ClaimRule, Environment, Experiment, SCHEMA, System, Tool};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

/// Why a file is no results.json that can be shown.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// It is of a newer form.
    #[error("has the form {0}, this tool reads forms up to {SCHEMA}: use the assay that wrote it")]
    Newer(u32),
    /// It is not JSON, or not of this form.
    #[error("is not a results.json: {0}")]
    Form(#[from] serde_json::Error),
}

/// The results of a session.
#[derive(Debug, Deserialize)]
pub struct Stored {
    pub(super) tool: Tool,
    pub(super) experiment: Experiment,
    pub(super) complete: bool,
    pub(super) incomplete: Option<String>,
    pub(super) environment: Environment,
    #[serde(default)]
    pub(super) rounds_set_aside: BTreeMap<u32, IgnoredAny>,
    #[serde(default)]
    pub(super) cases: Vec<Case>,
    #[serde(default)]
    pub(super) experienced: Vec<Experienced>,
    pub(super) patience_over_after_ms: Option<u64>,
    pub(super) claim: Option<Claim>,
    #[serde(default)]
    pub(super) runs: Vec<Run>,
    #[serde(default)]
    pub(super) not_run: Vec<NotRun>,
    #[serde(default)]
    pub(super) not_known: Vec<String>,
}

/// A case, undisturbed.
#[derive(Debug, Deserialize)]
pub(super) struct Case {
    pub system: System,
    pub case: u16,
    pub label: String,
    #[serde(default)]
    pub smt: bool,
    pub cycles: Middle,
    pub nanos: Option<Middle>,
    pub functional_only: Option<IgnoredAny>,
    pub speedup: Option<Speedup>,
}

/// A case as experienced.
#[derive(Debug, Deserialize)]
pub(super) struct Experienced {
    pub system: System,
    pub case: u16,
    pub iterations: usize,
    pub iterations_counted: usize,
    pub cycles: Middle,
    pub nanos: Option<Middle>,
    pub speedup: Option<Speedup>,
}

/// The middle of a summary.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Middle {
    pub median: f64,
}

/// A speed-up.
#[derive(Debug, Deserialize)]
pub(super) struct Speedup {
    pub against: u16,
    pub median: f64,
}

/// The claim and what became of it.
#[derive(Debug, Deserialize)]
pub(super) struct Claim {
    pub rule: ClaimRule,
    pub verdict: String,
    pub within: Option<String>,
    pub median: Option<f64>,
    pub interval: Option<Interval>,
    pub experienced: Option<ClaimExperienced>,
    pub reason: Option<String>,
    pub detail: Option<String>,
}

/// An interval.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The claim's speed-up as experienced.
#[derive(Debug, Deserialize)]
pub(super) struct ClaimExperienced {
    pub median: f64,
    pub interval: Option<Interval>,
}

/// A run.
#[derive(Debug, Deserialize)]
pub(super) struct Run {
    pub started_unix_ms: Option<u64>,
    pub outcome: String,
    pub reason: Option<String>,
    /// `REASON: detail` or `REASON in run N: detail`.
    pub set_aside: Option<String>,
    measurement: Option<Box<RawValue>>,
}

/// A case that was asked for and did not run.
#[derive(Debug, Deserialize)]
pub(super) struct NotRun {
    pub case: u16,
    pub why: String,
}

/// What a run measured, as far as a rate needs it.
#[derive(Debug, Deserialize)]
pub(super) struct Measured {
    pub identity: Identity,
    pub samples: Vec<Sample>,
}

/// What was run.
#[derive(Debug, Deserialize)]
pub(super) struct Identity {
    pub workload: String,
}

/// An iteration of a case.
#[derive(Debug, Deserialize)]
pub(super) struct Sample {
    pub case: u16,
    pub workers: Vec<Worker>,
}

/// A worker.
#[derive(Debug, Deserialize)]
pub(super) struct Worker {
    pub work: u64,
}

impl Stored {
    /// Reads results.json.
    ///
    /// # Errors
    /// It is of a newer form, or of none that is known.
    pub fn read(json: &[u8]) -> Result<Self, StoredError> {
        /// The form comes first: a newer one may not fit the rest.
        #[derive(Deserialize)]
        struct Form {
            schema: u32,
        }
        let stored = serde_json::from_slice(json);
        match serde_json::from_slice::<Form>(json) {
            Ok(Form { schema }) if schema > SCHEMA => Err(StoredError::Newer(schema)),
            _ => Ok(stored?),
        }
    }

    /// What the first run with a measurement that meets `wanted` measured.
    pub(super) fn measured(&self, wanted: impl Fn(&Measured) -> bool) -> Option<Measured> {
        let measured = self.runs.iter().filter_map(|run| run.measurement.as_deref());
        measured.filter_map(|raw| serde_json::from_str(raw.get()).ok()).find(|of| wanted(of))
    }
}

impl Stored {
    /// The systems that have a figure, in the order of rows.
    pub(super) fn systems(&self) -> BTreeSet<System> {
        self.names().into_iter().map(|(system, _)| system).collect()
    }

    /// Each case that has a figure.
    pub(super) fn names(&self) -> BTreeSet<(System, u16)> {
        let undisturbed = self.cases.iter().map(|of| (of.system, of.case));
        undisturbed.chain(self.experienced.iter().map(|of| (of.system, of.case))).collect()
    }

    /// When the first run was started, in milliseconds since 1970 (UTC).
    fn started(&self) -> Option<u64> {
        self.runs.iter().filter_map(|run| run.started_unix_ms).min()
    }
}

impl Stored {
    /// The experiment's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.experiment.name
    }

    /// How many runs were made.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.runs.len()
    }

    /// When the first run was started (UTC, RFC 3339).
    #[must_use]
    pub fn started_text(&self) -> Option<String> {
        let at = UNIX_EPOCH + Duration::from_millis(self.started()?);
        Some(humantime::format_rfc3339_seconds(at).to_string())
    }
}

impl Run {
    /// Whether it counts.
    pub(super) fn counts(&self) -> bool {
        self.why_not().is_none()
    }

    /// Why it does not count.
    pub(super) fn why_not(&self) -> Option<&str> {
        let refused = || self.reason.as_deref().filter(|_| self.outcome != "passed");
        self.set_aside.as_deref().and_then(|why| why.split([' ', ':']).next()).or_else(refused)
    }
}
