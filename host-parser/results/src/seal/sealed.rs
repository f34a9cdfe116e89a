//! A sealed session, read and verified.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use abi::Digest;
use evidence::gate::Scaling;
use experiment::manifest::Manifest;

use super::chain::Chain;
use super::entry::SealedSet;
use super::files::{CHAIN, MANIFEST, ORACLE};
use super::links::ChainError;
use super::replay::Replay;
use crate::{ClaimRule, Completion, Results};

/// One place in which a session does not verify.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The file, and where in it.
    pub place: String,
    /// What is wrong.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.detail)
    }
}

/// Why a folder is no sealed session.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// There is no chain.
    #[error("{}: has no {CHAIN}: it is no session, or was recorded before sessions were sealed; record it again", folder.display())]
    Unsealed {
        /// The folder.
        folder: PathBuf,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The chain is broken.
    #[error("{}: {source}", path.display())]
    Broken {
        /// The chain's file.
        path: PathBuf,
        /// Where.
        source: ChainError,
    },
}

/// A session whose chain was played again.
#[derive(Debug)]
pub struct SealedSession {
    /// Its folder.
    pub folder: PathBuf,
    /// Its chain.
    pub chain: Chain,
    /// What does not hold in the chain, the logs and the manifest. How the files of results differ is for `report` to find.
    pub problems: Vec<Problem>,
    replay: Replay,
}

impl SealedSession {
    /// Reads the session in `folder` and judges all of its logs again.
    ///
    /// # Errors
    /// There is no chain, or it is broken. What else is wrong is in [`SealedSession::problems`].
    pub fn read(folder: &Path) -> Result<Self, SealError> {
        let path = folder.join(CHAIN);
        let bytes = fs::read(&path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => SealError::Unsealed { folder: folder.to_owned() },
            _ => SealError::Read { path: path.clone(), source },
        })?;
        let chain = Chain::read(&bytes).map_err(|source| SealError::Broken { path, source })?;
        let manifest = stored_manifest(folder, &chain);
        let mut replay = Replay::of(folder, &chain, manifest.as_ref().ok());
        let mut problems = match &manifest {
            Ok(manifest) => manifest_problems(folder, manifest, &chain),
            Err(problem) => vec![problem.clone()],
        };
        problems.append(&mut replay.problems);
        let mut session = Self { folder: folder.to_owned(), chain, problems, replay };
        session.problems.extend(session.incomplete_after_all());
        Ok(session)
    }

    /// How many runs it has.
    #[must_use]
    pub fn runs(&self) -> usize {
        self.replay.runs.len()
    }

    /// The sets of results.
    #[must_use]
    pub fn sets(&self) -> &[SealedSet] {
        &self.chain.commitment.sets
    }

    /// The folder of a set's results and runs.
    #[must_use]
    pub fn folder_of(&self, set: usize) -> PathBuf {
        self.sets()[set].row.as_ref().map_or(self.folder.clone(), |row| self.folder.join(row))
    }

    /// The results of a set, derived from the logs and the recorded evidence.
    #[must_use]
    pub fn results(&self, set: usize) -> Results {
        let completion = match &self.chain.end {
            Some(end) => end.completion(),
            None => self.still_running(self.runs(), self.chain.entries.len()),
        };
        self.derive(set, self.runs(), self.chain.entries.len(), completion)
    }

    /// The results of a set as they were written while the session went on, when the set had `of_set` runs. `None` if it
    /// never had as many.
    #[must_use]
    pub fn results_so_far(&self, set: usize, of_set: usize) -> Option<Results> {
        let of_this = |&run: &usize| self.replay.set_of[run] == set;
        let last = (0..self.runs()).filter(of_this).nth(of_set.checked_sub(1)?)?;
        // The results of several rows are written when a round is over.
        let of_round = |&run: &usize| self.replay.runs[run].round == self.replay.runs[last].round;
        let runs = match self.sets() {
            [_] => last + 1,
            _ => (last..self.runs()).rev().find(of_round).unwrap_or(last) + 1,
        };
        let entries = self.replay.entries_with[runs - 1];
        Some(self.derive(set, runs, entries, self.still_running(runs, entries)))
    }

    fn still_running(&self, runs: usize, entries: usize) -> Completion {
        let planned = self.planned(runs, entries);
        Completion::Partial { why: incomplete(runs, planned, "still running, or killed") }
    }

    /// How many runs there are to be, by what is known after the first `runs`.
    fn planned(&self, runs: usize, entries: usize) -> usize {
        let ledger = self.replay.ledger(&self.chain, entries);
        let wasted =
            self.replay.runs[..runs].iter().filter(|run| ledger.has_lost(run.round, run.run)).count();
        let commitment = &self.chain.commitment;
        let lost = ledger.count_lost_runs(commitment.runs_per_round as usize);
        let rounds = commitment.rounds_to_count(u32::try_from(lost).unwrap_or(u32::MAX));
        rounds as usize * commitment.runs_per_round as usize + wasted
    }

    /// That a session which ended as complete has all of its runs, or all of its time and no more.
    fn incomplete_after_all(&self) -> Option<Problem> {
        let end = self.chain.end.as_ref()?;
        let (made, planned) = (self.runs(), self.planned(self.runs(), self.chain.entries.len()));
        let detail = match end.completion() {
            Completion::Complete if made != planned => {
                Some(format!("ends as complete, but has {made} of {planned} runs"))
            }
            Completion::OutOfPatience { after_ms } => self.not_out_of_patience(after_ms),
            _ => None,
        };
        detail.map(|detail| Problem { place: CHAIN.to_owned(), detail })
    }

    /// Why a session that says that its patience was over after a time cannot have ended so.
    fn not_out_of_patience(&self, after_ms: u64) -> Option<String> {
        let commitment = &self.chain.commitment;
        let Some(patience) = commitment.patience_ms() else {
            return Some("ends because its patience was over, but has none".to_owned());
        };
        if after_ms < patience {
            return Some(format!("ends after {after_ms} ms, but has a patience of {patience} ms"));
        }
        let runs = &self.replay.runs;
        let took: u64 = runs.iter().filter_map(|run| run.made.wall_ms).sum();
        if took > after_ms {
            return Some(format!("ends after {after_ms} ms, but its runs took {took} ms"));
        }
        let ledger = self.replay.ledger(&self.chain, self.chain.entries.len());
        let last = runs.last()?.round;
        let of_last = runs.iter().filter(|run| run.round == last);
        let whole = commitment.runs_per_round as usize
            <= of_last.filter(|run| ledger.attempt(last, run.run) == 0).count();
        let whole = whole && ledger.to_repeat(last).is_none();
        (!whole && !ledger.is_excluded(last)).then(|| {
            format!("ends because its patience was over, but its last round, {}, is not whole", last + 1)
        })
    }

    fn derive(&self, set: usize, runs: usize, entries: usize, completion: Completion) -> Results {
        let ledger = self.replay.ledger(&self.chain, entries);
        let of_set = self.replay.runs[..runs].iter().zip(&self.replay.set_of);
        let of_set = of_set.filter(|(_, of)| **of == set).map(|(run, _)| run.clone()).collect();
        let SealedSet { experiment, environment, .. } = self.sets()[set].clone();
        let mut results = Results::of_session(experiment, environment, &ledger, of_set, completion);
        results.tool = self.chain.commitment.tool.clone();
        results
    }
}

/// Why a session is not complete, in the words of its results.
#[must_use]
pub fn incomplete(made: usize, planned: usize, why: &str) -> String {
    format!("{made} of {planned} runs were made: {why}")
}

/// The manifest beside the chain, and with it the oracle that it names.
fn stored_manifest(folder: &Path, chain: &Chain) -> Result<Manifest, Problem> {
    let path = folder.join(MANIFEST);
    let problem = |detail: String| Problem { place: path.display().to_string(), detail };
    let bytes = fs::read(&path).map_err(|error| problem(format!("cannot be read: {error}")))?;
    let (found, sealed) = (Digest::of(&bytes), chain.commitment.manifest.sha256);
    if found != sealed {
        return Err(problem(format!("has SHA-256 {found}, sealed is {sealed}")));
    }
    let manifest = Manifest::parse_stored(&path, &bytes, &folder.join(ORACLE));
    manifest.map_err(|error| problem(error.to_string()))
}

/// What does not hold of that manifest.
fn manifest_problems(folder: &Path, manifest: &Manifest, chain: &Chain) -> Vec<Problem> {
    let path = folder.join(MANIFEST);
    let problem = |detail: String| Problem { place: path.display().to_string(), detail };
    let found = manifest.sha256();
    let claim = manifest.gate().map(|gate| ClaimRule {
        from: gate.from_workers,
        to: gate.to_workers,
        min_speedup: gate.min_speedup,
    });
    let mut problems = Vec::new();
    for SealedSet { row, experiment, .. } in &chain.commitment.sets {
        if experiment.name != manifest.name().as_str() {
            problems.push(problem(format!("is of {}, the chain of {}", manifest.name(), experiment.name)));
        }
        if experiment.manifest_sha256.as_deref() != Some(found.to_string().as_str()) {
            problems.push(problem("is not the manifest that the chain's experiment names".to_owned()));
        }
        if experiment.is_weak() != (manifest.scaling() == Scaling::Weak) {
            problems.push(problem("does not scale as the chain's experiment does".to_owned()));
        }
        // Of rows that are apart the comparison makes the claim.
        if experiment.claim != claim.filter(|_| row.is_none()) {
            problems.push(problem("does not make the claim that the chain has".to_owned()));
        }
    }
    problems
}
