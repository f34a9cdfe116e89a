//! One run: how it was made, what the host observed, and what the gate says of it.

use std::sync::{Arc, LazyLock};

use abi::Digest;
use abi::wire::Hex64;
use evidence::gate::{Exclusion, FunctionalOnly, HostEvidence, Measurement, RunExpectation, Verdict};
use serde::Serialize;

use super::boot_cost::BootCost;
use super::system::System;
use crate::diagnosis::Diagnosis;

/// One run.
#[derive(Clone, Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct RunRecord {
    /// Its place in the order in which runs were made, from 0.
    pub run: u32,
    /// The round it belongs to, from 0.
    #[serde(skip)]
    pub round: u32,
    /// Its round as results have it, from 1. Older forms counted from 0 ([`super::form`]).
    #[serde(rename = "round")]
    pub round_number: u32,
    /// Which attempt at its place in its round it is, from 0: a run that the host disturbed is made again.
    #[serde(skip)]
    pub attempt: u32,
    /// Its attempt as results have it, likewise, if it is not the first.
    #[serde(rename = "attempt", skip_serializing_if = "Option::is_none")]
    pub attempt_number: Option<u32>,
    /// The set of results that it belongs to, from 0: a session whose rows are apart has one for each.
    #[serde(skip)]
    pub set: usize,
    /// What ran its workers.
    pub system: System,
    /// The case it was made for; `None` if it has several, or is a log from elsewhere.
    pub case: Option<u16>,
    /// How it was made, and what the host saw of it. The boots of a log from elsewhere, which can be hundreds of thousands,
    /// share that.
    #[serde(flatten)]
    pub made: Arc<Making>,
    /// Set if the guest had more CPUs than the host, even if the run did not pass.
    pub functional_only: Option<FunctionalOnly>,
    /// Why it counts for nothing: what the host did in it, or in another run of its round.
    #[serde(rename = "set_aside")]
    pub excluded: Option<Box<Exclusion>>,
    /// Why its guest died, as a second guest showed it. Not evidence, and no part of the verdict.
    pub diagnosis: Option<Box<Diagnosis>>,
    /// What the gate says: `outcome`, with `measurement` or `reason` and `detail`, and `findings`.
    #[serde(flatten)]
    pub verdict: Verdict<Measurement>,
}

/// How a run was made: what was started, when, and on which CPUs; and what the host saw of it.
#[derive(Clone, Debug, Default, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Making {
    /// The challenge of its plan; `None` for a log from elsewhere, whose measurement has it.
    pub challenge: Option<Hex64>,
    /// The digest by which the chain of challenges goes on after it (`evidence::challenge::ended`), if known.
    pub end_digest: Option<Digest>,
    /// Its serial log.
    pub log: Option<Arc<str>>,
    /// The exact command that ran the guest.
    pub command: Vec<String>,
    /// What the command reads from a file, if it reads its configuration from one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: Option<u64>,
    /// How long it took by the host's clock, in milliseconds: evidence, never a measurement.
    pub wall_ms: Option<u64>,
    /// The host wait before it, in milliseconds; `None` if it did not wait.
    pub waited_ms: Option<u64>,
    /// What it took to get to the result.
    pub boot: Option<BootCost>,
    /// The host CPUs in force, read back, as a list of numbers and ranges.
    pub host_cpus: Option<String>,
    /// The host CPUs that each vCPU's thread could run on, by the vCPU's number, read back; left out if there is no guest.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub vcpu_host_cpus: Vec<String>,
    /// What the host saw; nothing of a log from elsewhere.
    pub evidence: HostEvidence,
    /// What session.jsonl has of it besides.
    #[serde(skip)]
    pub sealed: Option<Box<SealedRun>>,
}

/// What a session's chain has of a run, besides what its results have.
#[derive(Clone, Debug, Default)]
pub struct SealedRun {
    /// What the gate was given to expect.
    pub expected: RunExpectation,
    /// SHA-256 of the log's bytes, as the gate judged them.
    pub log_sha256: Option<Digest>,
}

impl SealedRun {
    /// That of a run with this log.
    #[must_use]
    pub fn of(log: &[u8], expected: RunExpectation) -> Self {
        Self { expected, log_sha256: Some(Digest::of(log)) }
    }
}

/// How a log from elsewhere was made.
static NOT_MADE_HERE: LazyLock<Arc<Making>> = LazyLock::new(Arc::default);

impl RunRecord {
    /// A run with its verdict only, of the system that its log names. The caller fills in the other fields.
    #[must_use]
    pub fn new(run: u32, round: u32, verdict: Verdict<Measurement>) -> Self {
        let measured = verdict.outcome.measurement();
        Self {
            run,
            round,
            round_number: 0,
            attempt: 0,
            attempt_number: None,
            set: 0,
            system: measured.map(|measured| System::of_log(measured.machine().system)).unwrap_or_default(),
            case: None,
            made: Arc::clone(&NOT_MADE_HERE),
            excluded: None,
            diagnosis: None,
            functional_only: measured.and_then(Measurement::functional_only),
            verdict,
        }
    }

    /// How it was made, to fill it in.
    pub fn making(&mut self) -> &mut Making {
        Arc::make_mut(&mut self.made)
    }

    /// The same, with what the host saw.
    #[must_use]
    pub fn with_evidence(mut self, evidence: HostEvidence) -> Self {
        self.functional_only = self.functional_only.or(evidence.functional_only(None));
        self.making().evidence = evidence;
        self
    }
}
