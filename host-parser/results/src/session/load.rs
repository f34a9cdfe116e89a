//! From the folder of a session to its runs: every file it must have, and every log judged again.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use evidence::gate::{Gate, Identity, MachineReport, Measurement, ReasonCode, RunExpectation};
use evidence::ledger::{Pace, Probes};
use evidence::transcript::Transcript;

use super::counted::{SessionCase, as_many_as_asked_for, cases, khz, spans};
use super::index::{Index, IndexRun, SYSTEM};
use crate::environment::Environment;
use crate::model::SCHEMA;

/// How a run's log is named, below `runs` in the session's folder.
const LOG: &str = ".serial.log";

/// How much of a session there must be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Whole {
    /// All that was asked for.
    Must,
    /// What was made before it was ended.
    AsFarAsItGoes,
}

/// A session whose every run that counts has passed the gate.
#[derive(Clone, Debug)]
pub struct StoredSession {
    /// Its folder.
    pub folder: PathBuf,
    /// The experiment.
    pub experiment: String,
    /// Its name among the experiment's sessions.
    pub label: Option<String>,
    /// Where it was done, by results.json.
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
}

/// Why a folder is no session that can be compared.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// A file cannot be read.
    #[error("{}: {source}; expected the folder of a session of `assay run`: target/EXPERIMENT/LABEL", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// results.json is none, or does not belong to the logs.
    #[error("{}: {detail}", path.display())]
    Form {
        /// The file or the folder.
        path: PathBuf,
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

/// A run of our system, judged again.
struct Judged<'i> {
    run: &'i IndexRun,
    /// Whether its round is excluded: by results.json, which knows what the host did to other rows, or by the gate.
    excluded: bool,
    outcome: Result<Measurement, (ReasonCode, String)>,
}

impl StoredSession {
    /// Reads the session in `folder` and judges its runs again. Of other systems' runs it takes no notice.
    ///
    /// # Errors
    /// Files that cannot be read or do not belong together; a session that is not complete, or has a run that did not
    /// pass: a part of a session is a selection.
    pub fn load(folder: &Path) -> Result<Self, SessionError> {
        Self::read(folder, Whole::Must)
    }

    /// The same of a session that was ended before it was complete: what was made until then, less a run that was cut
    /// short. For counting how often something is so; to compare two sides it is a selection.
    ///
    /// # Errors
    /// Those of [`StoredSession::load`], except for missing rounds.
    pub fn load_as_far_as_it_goes(folder: &Path) -> Result<Self, SessionError> {
        Self::read(folder, Whole::AsFarAsItGoes)
    }

    fn read(folder: &Path, whole: Whole) -> Result<Self, SessionError> {
        let path = folder.join("results.json");
        let bytes = read(&path)?;
        let form = |detail: String| SessionError::Form { path: path.clone(), detail };
        let index: Index = serde_json::from_slice(&bytes)
            .map_err(|error| form(format!("not readable as results: {error}")))?;
        if index.schema > SCHEMA {
            return Err(form(format!("schema: expected at most {SCHEMA}, found {}", index.schema)));
        }
        let refused = |(reason, detail)| SessionError::Refused { folder: folder.to_owned(), reason, detail };
        let incomplete = (!index.complete).then(|| index.incomplete.clone().unwrap_or_default());
        match &incomplete {
            Some(why) if whole == Whole::Must => {
                return Err(refused((ReasonCode::Incomplete, why.clone())));
            }
            // The log of a run that was being made is in no list yet.
            Some(_) => {}
            None => every_log_is_listed(folder, &index).map_err(&form)?,
        }
        let judged = judge(folder, &index)?;
        let excluded = excluded_rounds(&judged);
        if u32::try_from(excluded.len()).is_ok_and(|count| count > index.experiment.set_aside_limit) {
            let (count, limit) = (excluded.len(), index.experiment.set_aside_limit);
            let detail = format!(
                "{count} rounds are excluded because the host disturbed them, at most {limit} may be"
            );
            return Err(refused((ReasonCode::HostContended, detail)));
        }
        let mut passed = Vec::new();
        for Judged { run, outcome, .. } in judged {
            let of_run = |detail: String| format!("run {}: {detail}", run.run);
            match outcome {
                Err((ReasonCode::Cancelled, _)) if incomplete.is_some() => {}
                // What the host did to a round excuses nothing that the guest did.
                Err((reason, detail)) if !reason.is_the_hosts() || !excluded.contains(&run.round) => {
                    return Err(refused((reason, of_run(detail))));
                }
                Ok(measured) if !excluded.contains(&run.round) => passed.push((run, measured)),
                Ok(_) | Err(_) => {}
            }
        }
        let Some((_, first)) = passed.first() else {
            let detail = format!("no run of the system {SYSTEM} counts");
            return Err(refused((ReasonCode::TooFewRounds, detail)));
        };
        let (identity, machine) = (*first.identity(), first.machine().clone());
        let cases = cases(&passed).map_err(&form)?;
        if incomplete.is_none() {
            as_many_as_asked_for(&index.experiment, &cases)
                .map_err(|detail| refused((ReasonCode::Incomplete, detail)))?;
        }
        let (khz, spans) = (khz(&passed), spans(&passed));
        Ok(Self {
            folder: folder.to_owned(),
            experiment: index.experiment.name,
            label: index.experiment.label,
            incomplete,
            order_seed: index.experiment.order_seed,
            probes: index.probes,
            pace: index.pace,
            environment: index.environment,
            identity,
            machine,
            khz,
            rounds_set_aside: excluded,
            cases,
            spans,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, SessionError> {
    std::fs::read(path).map_err(|source| SessionError::Read { path: path.to_owned(), source })
}

/// A log's name in the folder `runs`; results.json has it with the path that it had when it was written.
fn log_name(run: &IndexRun) -> Option<&str> {
    Path::new(run.log.as_deref()?).file_name()?.to_str()
}

/// A log that results.json does not list is a run that was left out.
fn every_log_is_listed(folder: &Path, index: &Index) -> Result<(), String> {
    let listed: BTreeSet<&str> = index.runs.iter().filter_map(log_name).collect();
    // If there is no such folder, reading the first log reports it.
    let files = std::fs::read_dir(folder.join("runs")).into_iter().flatten().flatten();
    let mut names: Vec<String> = files.filter_map(|file| file.file_name().into_string().ok()).collect();
    names.sort();
    match names.into_iter().find(|name| name.ends_with(LOG) && !listed.contains(name.as_str())) {
        Some(name) => Err(format!("runs/{name} is there and in no run of the list")),
        None => Ok(()),
    }
}

/// Judges every run of our system, in the order in which they were made.
fn judge<'i>(folder: &Path, index: &'i Index) -> Result<Vec<Judged<'i>>, SessionError> {
    let mut gate = Gate::default();
    let ours = index.runs.iter().filter(|run| run.system == SYSTEM);
    let each = ours.map(|run| {
        let name = log_name(run).ok_or_else(|| SessionError::Form {
            path: folder.join("results.json"),
            detail: format!("run {} names no log", run.run),
        })?;
        let log = read(&folder.join("runs").join(name))?;
        let expectation = RunExpectation { cpus: run.case, ..RunExpectation::default() };
        let verdict = gate.judge(&Transcript::read(&log), &expectation, &run.evidence);
        let refusal = verdict.outcome.refusal().map(|(reason, detail)| (reason, detail.to_owned()));
        let hosts = refusal.as_ref().is_some_and(|(reason, _)| reason.is_the_hosts());
        let excluded = run.set_aside.is_some() || hosts;
        let outcome = match (verdict.outcome.measurement(), refusal) {
            (Some(measured), _) => Ok(measured.clone()),
            (None, refusal) => Err(refusal.unwrap_or((ReasonCode::Incomplete, "no measurement".to_owned()))),
        };
        Ok(Judged { run, excluded, outcome })
    });
    each.collect()
}

/// The excluded rounds.
fn excluded_rounds(judged: &[Judged<'_>]) -> BTreeSet<u32> {
    judged.iter().filter(|judged| judged.excluded).map(|judged| judged.run.round).collect()
}
