//! The entries of session.jsonl.

use std::collections::BTreeMap;
use std::sync::Arc;

use abi::Digest;
use abi::wire::Hex64;
use evidence::gate::{HostEvidence, Measurement, RunExpectation, Verdict};
use evidence::ledger::{FailedProbe, Probe, Probes};
use serde::{Deserialize, Serialize};

use super::decisions::Decision;
use crate::diagnosis::Diagnosis;
use crate::{BootCost, Completion, Environment, Experiment, Making, RunRecord, SealedRun, System, Tool};

/// The version of the chain's form. It is raised by a change that a reader of an older one would misread.
///
/// In form 2 a run that the host disturbed is made again in its round. In form 1 its round was replaced; such chains are
/// read by their own rule, since their experiments have no [`crate::Repeats`].
pub const FORM: u32 = 2;

/// What a line records.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Entry {
    /// The first line: what the session is to do, by what. It decides what will count.
    Session(Box<Commitment>),
    /// A native probe.
    Probe(Probe),
    /// A native probe that failed.
    ProbeFailed(FailedProbe),
    /// There will be no further probe, for this reason.
    ProbesEnded(String),
    /// A run that was made.
    Run(Box<RunEntry>),
    /// Why the guest of a run died.
    Diagnosis {
        /// The run.
        run: u32,
        /// The diagnosis.
        diagnosis: Box<Diagnosis>,
    },
    /// A round, a run or an iteration that was excluded. Verification does not believe it.
    Excluded(Decision),
    /// The last line.
    End(End),
}

/// What a session commits itself to before its first run.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Commitment {
    /// [`FORM`].
    pub form: u32,
    /// 128 random bits in hexadecimal: no two sessions have the same first line.
    pub session: String,
    /// When the session began, in milliseconds since 1970 (UTC).
    pub started_unix_ms: u64,
    /// The command, or the experiment of `assay run`.
    pub command: String,
    /// What records it.
    pub tool: Tool,
    /// SHA-256 of the tool's executable; `None` if it could not be read.
    pub executable_sha256: Option<Digest>,
    /// The manifest, whose text is in the session's folder.
    pub manifest: SealedManifest,
    /// How many rounds are to count; 1 for a sweep, whose rounds are in one boot.
    pub rounds: u32,
    /// How many runs a round has.
    pub runs_per_round: u32,
    /// No probes yet, or why there will be none.
    pub probes: Probes,
    /// The sets of results that come of it: one, or one for each row.
    pub sets: Vec<SealedSet>,
}

impl Commitment {
    /// How often a disturbed run is made again.
    #[must_use]
    pub fn repeats(&self) -> u32 {
        self.sets.iter().find_map(|set| set.experiment.repeats).map_or(0, |repeats| repeats.times)
    }

    /// How long the session may take, if it has patience.
    #[must_use]
    pub fn patience_ms(&self) -> Option<u64> {
        self.sets.iter().find_map(|set| set.experiment.patience_ms)
    }

    /// How many rounds are to count, if `lost` runs do not: with patience more, if much is lost.
    #[must_use]
    pub fn rounds_to_count(&self, lost: u32) -> u32 {
        let repeats = self.sets.iter().find_map(|set| set.experiment.repeats);
        match repeats.filter(|_| self.patience_ms().is_some()) {
            Some(repeats) => repeats.rounds_to_count(self.rounds, lost),
            None => self.rounds,
        }
    }
}

/// The manifest of a session.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SealedManifest {
    /// Where it was read from.
    pub path: String,
    /// SHA-256 of its bytes.
    pub sha256: Digest,
}

/// What a set of results is of.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSet {
    /// Its folder in that of the session, which is its row's name; `None` if it is the session's own folder.
    pub row: Option<String>,
    /// What is to be done, and the limits and options that decide what counts.
    pub experiment: Experiment,
    /// Where, and with which files.
    pub environment: Environment,
}

/// A run, and all that the host observed of it.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RunEntry {
    /// Its number: its place in the order in which runs were made, from 0, without gaps.
    pub run: u32,
    /// The set of results that it belongs to, from 0.
    pub set: usize,
    /// Its round, from 0.
    pub round: u32,
    /// What ran its workers.
    pub system: System,
    /// Its case; `None` for a sweep.
    pub case: Option<u16>,
    /// Its log, by the path that it had. Its file is the one of that name in the folder `runs` of its set.
    pub log: Option<String>,
    /// SHA-256 of the log's bytes, as the gate judged them.
    pub log_sha256: Option<Digest>,
    /// The challenge of its plan, which follows from the runs before it (`evidence::challenge`); `None` if it was given
    /// none.
    pub challenge: Option<Hex64>,
    /// The exact command.
    pub command: Vec<String>,
    /// What the command reads from a file, if it reads its configuration from one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    /// When it was started, in milliseconds since 1970 (UTC).
    pub started_unix_ms: Option<u64>,
    /// How long it took, in milliseconds.
    pub wall_ms: Option<u64>,
    /// The host wait before it, in milliseconds.
    pub waited_ms: Option<u64>,
    /// What it took to get to the result.
    pub boot: Option<BootCost>,
    /// The host CPUs in force.
    pub host_cpus: Option<String>,
    /// The host CPUs of each vCPU's thread.
    pub vcpu_host_cpus: Vec<String>,
    /// What the gate was given to expect.
    pub expected: RunExpectation,
    /// What the host observed.
    pub evidence: HostEvidence,
}

/// How a session ended.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct End {
    /// Why not all was done; `None` if it was.
    pub incomplete: Option<String>,
    /// How long the session had taken when its patience was over, in milliseconds; `None` if its rounds were made in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patience_over_after_ms: Option<u64>,
    /// SHA-256 of each file of results, by its path in the session's folder.
    pub files: BTreeMap<String, Digest>,
}

impl End {
    /// Whether all was done.
    #[must_use]
    pub fn completion(&self) -> Completion {
        match (&self.incomplete, self.patience_over_after_ms) {
            (Some(why), _) => Completion::Partial { why: why.clone() },
            (None, Some(after_ms)) => Completion::OutOfPatience { after_ms },
            (None, None) => Completion::Complete,
        }
    }
}

impl RunEntry {
    /// The entry of a run of a set.
    #[must_use]
    pub fn of(run: &RunRecord, set: usize) -> Self {
        let sealed = run.made.sealed.as_deref().cloned().unwrap_or_default();
        Self {
            run: run.run,
            set,
            round: run.round,
            system: run.system,
            case: run.case,
            log: run.made.log.as_deref().map(str::to_owned),
            log_sha256: sealed.log_sha256,
            challenge: run.made.challenge,
            command: run.made.command.clone(),
            configuration: run.made.configuration.clone(),
            started_unix_ms: run.made.started_unix_ms,
            wall_ms: run.made.wall_ms,
            waited_ms: run.made.waited_ms,
            boot: run.made.boot,
            host_cpus: run.made.host_cpus.clone(),
            vcpu_host_cpus: run.made.vcpu_host_cpus.clone(),
            expected: sealed.expected,
            evidence: run.made.evidence.clone(),
        }
    }

    /// The run again, with the gate's verdict of today.
    pub(super) fn record(&self, verdict: Verdict<Measurement>) -> RunRecord {
        let mut run = RunRecord::new(self.run, self.round, verdict).with_evidence(self.evidence.clone());
        let evidence = std::mem::take(&mut run.making().evidence);
        run.set = self.set;
        run.system = self.system;
        run.case = self.case;
        let (expected, log_sha256) = (self.expected.clone(), self.log_sha256);
        *run.making() = Making {
            challenge: self.challenge,
            end_digest: None,
            log: self.log.as_deref().map(Arc::from),
            command: self.command.clone(),
            configuration: self.configuration.clone(),
            started_unix_ms: self.started_unix_ms,
            wall_ms: self.wall_ms,
            waited_ms: self.waited_ms,
            boot: self.boot,
            host_cpus: self.host_cpus.clone(),
            vcpu_host_cpus: self.vcpu_host_cpus.clone(),
            evidence,
            sealed: Some(Box::new(SealedRun { expected, log_sha256 })),
        };
        run
    }
}
