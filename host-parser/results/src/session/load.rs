//! From a sealed session to the times of its cases: what of its runs counts.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use abi::Digest;
use evidence::gate::{Identity, MachineReport, Measurement, ReasonCode};
use evidence::ledger::{Pace, Probes};

use super::counted::{SessionCase, as_many_as_asked_for, cases, khz, spans};
use crate::environment::Environment;
use crate::seal::SealedSession;
use crate::selection::first_shares;
use crate::{Results, RunRecord, System};

/// The system whose runs are compared.
const SYSTEM: System = System::Assay;

/// How much of a session there must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Whole {
    /// All that was asked for.
    Must,
    /// What was made before it was ended, less a run that was cut short. For counting how often something is so; to compare
    /// two sides it is a selection.
    AsFarAsItGoes,
}

/// A session whose every run that counts has passed the gate.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// Its folder.
    pub folder: PathBuf,
    /// Which session it is, and which of its rows.
    pub id: SessionId,
    /// The experiment.
    pub experiment: String,
    /// Its name among the experiment's sessions.
    pub label: Option<String>,
    /// Where it was done, by its chain.
    pub environment: Environment,
    /// Which kernel, plan and program the first of its runs had; but for the plan all had the same.
    pub identity: Identity,
    /// Why it is not complete, if it was taken as far as it goes.
    pub incomplete: Option<String>,
    /// What its order was shuffled with.
    pub order_seed: Option<u64>,
    /// What the host's own CPUs gave between its rounds.
    pub probes: Probes,
    /// The pace checks of its runs.
    pub pace: Option<Pace>,
    /// What the machine of the first run said of itself.
    pub machine: MachineReport,
    /// The median of its runs' TSC frequencies, in kHz, if all of them know theirs.
    pub khz: Option<f64>,
    /// Rounds that count for nothing, for what the host did.
    pub rounds_set_aside: BTreeSet<u32>,
    /// Its cases, from the smallest on.
    pub cases: BTreeMap<u16, SessionCase>,
    /// From when to when each round that counts was made, in milliseconds since 1970, if known.
    pub(super) spans: BTreeMap<u32, (u64, u64)>,
    /// The boot nonces of all runs that passed.
    nonces: BTreeSet<u64>,
}

/// Which session it is, and which of its rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SessionId {
    /// SHA-256 of the first line of its chain.
    pub commitment: Digest,
    /// The row, if each has its own results.
    pub row: Option<String>,
}

/// Why a session has nothing to compare.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// Its runs do not make up rounds of its cases.
    #[error("{}: {detail}", folder.display())]
    Form {
        /// The folder.
        folder: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// The session itself has no result.
    #[error("{}: {reason}: {detail}", folder.display())]
    Refused {
        /// The folder.
        folder: PathBuf,
        /// Why.
        reason: ReasonCode,
        /// The particulars.
        detail: String,
    },
}

impl StoredSession {
    /// Takes a set of results of a session that was verified. Of other systems' runs it takes no notice.
    ///
    /// # Errors
    /// A session that is not complete, or has a run that did not pass: a part of a session is a selection.
    pub fn of(session: &SealedSession, set: usize, whole: Whole) -> Result<Self, SessionError> {
        let folder = session.folder_of(set);
        let results = session.results(set);
        let refused = |(reason, detail)| SessionError::Refused { folder: folder.clone(), reason, detail };
        let form = |detail: String| SessionError::Form { folder: folder.clone(), detail };
        if let Some(too_many) = results.too_many() {
            return Err(refused(too_many));
        }
        if let Some(why) = results.incomplete.as_ref().filter(|_| whole == Whole::Must) {
            return Err(refused((ReasonCode::Incomplete, why.clone())));
        }
        let excluded: BTreeSet<u32> = results.excluded_rounds.keys().copied().collect();
        let passed = passed(&results).map_err(refused)?;
        let Some((_, first)) = passed.first() else {
            let detail = format!("no run of the system {SYSTEM} counts");
            return Err(refused((ReasonCode::TooFewRounds, detail)));
        };
        let (identity, machine) = (first.identity(), first.machine().clone());
        let mut cases = cases(&passed).map_err(form)?;
        for (case, lost) in first_shares(&results.runs, SYSTEM) {
            if let Some(of_case) = cases.get_mut(&case) {
                of_case.lost = lost;
            }
        }
        if results.incomplete.is_none() {
            let over = results.patience_over_after_ms.is_some();
            as_many_as_asked_for(&results.experiment, &cases, over)
                .map_err(|detail| refused((ReasonCode::Incomplete, detail)))?;
        }
        let (khz, spans, nonces) = (khz(&passed), spans(&passed), nonces(&results));
        let (commitment, row) = (session.chain.commitment_sha256, session.sets()[set].row.clone());
        Ok(Self {
            folder,
            id: SessionId { commitment, row },
            experiment: results.experiment.name,
            label: results.experiment.label,
            incomplete: results.incomplete,
            order_seed: results.experiment.order_seed,
            probes: results.probes,
            pace: results.pace,
            environment: results.environment,
            identity,
            machine,
            khz,
            rounds_set_aside: excluded,
            cases,
            spans,
            nonces,
        })
    }

    /// Why the two are not two: one is a copy of the other, or has a run of it.
    #[must_use]
    pub fn shares_runs_with(&self, other: &Self) -> Option<String> {
        if self.id == other.id {
            return Some("they are one session, by the first line of their chains".to_owned());
        }
        let shared = self.nonces.intersection(&other.nonces).count();
        (shared > 0).then(|| format!("they have {shared} runs in common, by their boot nonces"))
    }
}

/// The runs of our system that count, with what they measured.
fn passed(results: &Results) -> Result<Vec<(&RunRecord, &Measurement)>, (ReasonCode, String)> {
    let mut passed = Vec::new();
    for run in results.runs.iter().filter(|run| run.system == SYSTEM) {
        let (outcome, excluded) = (&run.verdict.outcome, run.excluded.is_some());
        match (outcome.measurement(), outcome.refusal()) {
            (Some(measured), _) if !excluded => passed.push((run, measured)),
            (None, Some((ReasonCode::Cancelled, _))) if results.incomplete.is_some() => {}
            // What the host did to a round excuses nothing that the guest did.
            (None, Some((reason, detail))) if !reason.is_the_hosts() || !excluded => {
                return Err((reason, format!("run {}: {detail}", run.run)));
            }
            _ => {}
        }
    }
    Ok(passed)
}

fn nonces(results: &Results) -> BTreeSet<u64> {
    let measured = results.runs.iter().filter_map(|run| run.verdict.outcome.measurement());
    measured.map(|measured| measured.identity().nonce.0).collect()
}
