//! The chain played again: every log judged, every decision made again.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use abi::Digest;
use abi::wire::Hex64;
use evidence::challenge;
use evidence::gate::Gate;
use evidence::ledger::{FailedProbe, Ledger, Probe};
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;

use super::chain::Chain;
use super::decisions::{Decision, Decisions};
use super::entry::{Entry, RunEntry};
use super::files::{CHAIN, DIAGNOSIS_LOG, LOG, RUNS, file_name};
use super::fits::contradictions;
use super::sealed::Problem;
use crate::RunRecord;

/// What the chain and the logs of a session show.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// All runs, in their order, each with the gate's verdict of today.
    pub runs: Vec<RunRecord>,
    /// The set of each.
    pub set_of: Vec<usize>,
    /// How many of the chain's entries there are up to and with each run and what followed from it.
    pub entries_with: Vec<usize>,
    /// What does not hold.
    pub problems: Vec<Problem>,
}

/// The state of a replay.
struct Player<'a> {
    folder: &'a Path,
    chain: &'a Chain,
    /// `None` if it is not there, or is not the session's: that is a problem already.
    manifest: Option<&'a Manifest>,
    gates: Vec<Gate>,
    ledger: Ledger,
    decisions: Decisions,
    /// Decisions that follow from the entries so far, and that the chain must have next.
    due: VecDeque<Decision>,
    /// Whether there is an entry from which decisions may follow.
    stale: bool,
    nonces: BTreeMap<u64, u32>,
    challenge: u64,
    played: Replay,
}

impl Replay {
    /// Plays the chain of the session in `folder`, which has this manifest.
    pub fn of(folder: &Path, chain: &Chain, manifest: Option<&Manifest>) -> Self {
        let gate = || manifest.map_or_else(Gate::default, |manifest| Gate::of(manifest.workload()));
        let gates = chain.commitment.sets.iter().map(|_| gate()).collect();
        let mut player = Player {
            folder,
            chain,
            manifest,
            gates,
            ledger: begun(chain),
            decisions: Decisions::default(),
            due: VecDeque::new(),
            stale: false,
            nonces: BTreeMap::new(),
            challenge: challenge::first(chain.commitment_sha256),
            played: Self::default(),
        };
        for (at, entry) in chain.entries.iter().enumerate() {
            player.play(at, entry);
        }
        player.decide();
        if chain.end.is_some() {
            player.none_is_due(chain.entries.len());
        }
        player.every_log_is_listed();
        player.played
    }

    /// The ledger after the first `entries` of the chain.
    pub fn ledger(&self, chain: &Chain, entries: usize) -> Ledger {
        let mut ledger = begun(chain);
        let mut runs = self.runs.iter();
        for entry in &chain.entries[..entries] {
            match entry {
                Entry::Run(_) => runs.next().into_iter().for_each(|run| ledger.add_run(run)),
                other => add_probe(&mut ledger, other),
            }
        }
        ledger
    }
}

/// The ledger of a session before its first run.
fn begun(chain: &Chain) -> Ledger {
    Ledger::new(chain.commitment.probes.clone()).repeating(chain.commitment.repeats())
}

/// Adds an entry about probes to a ledger.
fn add_probe(ledger: &mut Ledger, entry: &Entry) {
    match entry {
        Entry::Probe(probe) => ledger.add_probe(*probe),
        Entry::ProbeFailed(probe) => ledger.add_failed_probe(probe.clone()),
        Entry::ProbesEnded(why) => ledger.end_probes(why.clone()),
        _ => {}
    }
}

impl Player<'_> {
    fn play(&mut self, at: usize, entry: &Entry) {
        match entry {
            Entry::Probe(_) | Entry::ProbeFailed(_) | Entry::ProbesEnded(_) => {
                if let Entry::Probe(Probe { before_round, .. })
                | Entry::ProbeFailed(FailedProbe { before_round, .. }) = entry
                {
                    self.none_is_to_repeat(at, *before_round);
                }
                add_probe(&mut self.ledger, entry);
                self.stale = true;
            }
            Entry::Run(run) => {
                self.decide();
                self.none_is_due(at);
                self.run(at, run);
                self.stale = true;
            }
            Entry::Diagnosis { run, diagnosis } => {
                match self.played.runs.last_mut().filter(|last| last.run == *run) {
                    Some(last) => last.diagnosis = Some(diagnosis.clone()),
                    None => self.wrong(at, format!("is of run {run}, which is not the last one")),
                }
            }
            Entry::Excluded(decision) => {
                self.decide();
                match self.due.pop_front() {
                    Some(due) if due == *decision => {}
                    Some(due) => self.wrong(at, format!("excludes {decision}; the evidence excludes {due}")),
                    None => self.wrong(at, format!("excludes {decision}; the evidence does not")),
                }
            }
            // A chain has one first and one last line, and neither is here.
            Entry::Session(_) | Entry::End(_) => {}
        }
        if let Some(last) = self.played.entries_with.last_mut().filter(|_| follows(entry)) {
            *last = at + 1;
        }
    }

    /// Judges a run again.
    fn run(&mut self, at: usize, entry: &RunEntry) {
        let number = entry.run;
        if u32::try_from(self.played.runs.len()) != Ok(number) {
            self.wrong(at, format!("is run {number}, expected run {}", self.played.runs.len()));
        }
        let Some(set) = self.chain.commitment.sets.get(entry.set) else {
            self.wrong(at, format!("is of set {}, which the session does not have", entry.set));
            return;
        };
        let program = entry.expected.blob.map(|blob| blob.to_string());
        let artifacts = &set.environment.artifacts;
        if program.is_some_and(|program| artifacts.iter().all(|artifact| artifact.sha256 != program)) {
            self.wrong(at, format!("run {number} was to run a program that is no artifact of the session"));
        }
        let folder = set.row.as_ref().map_or(self.folder.to_owned(), |row| self.folder.join(row));
        let log = self.read_log(at, entry, &folder);
        let transcript = Transcript::read(&log);
        for nonce in transcript.boots.iter().filter_map(|boot| Some(boot.start()?.nonce.0)) {
            if let Some(other) = self.nonces.insert(nonce, number).filter(|&other| other != number) {
                self.wrong(at, format!("run {number} has the boot nonce of run {other}"));
            }
        }
        let verdict = self.gates[entry.set].judge(&transcript, &entry.expected, &entry.evidence);
        let ended = challenge::ended(&transcript.boots, &log);
        let mut record = entry.record(verdict);
        record.making().end_digest = Some(ended);
        let measured = record.verdict.outcome.measurement();
        if measured.is_some_and(|measured| measured.samples().is_empty()) {
            self.wrong(at, format!("run {number} passed and has no samples"));
        }
        if let Some((measured, manifest)) = measured.zip(self.manifest) {
            let found = contradictions(entry, measured, manifest);
            found.into_iter().for_each(|detail| self.wrong(at, detail));
        }
        let answered = measured.map(|measured| ("answered", measured.identity().challenge));
        let expected = Hex64(self.challenge);
        for (what, found) in answered.into_iter().chain([("was given", entry.challenge)]) {
            if found != Some(expected) {
                let found = found.map_or("none".to_owned(), |found| found.to_string());
                let detail = format!(
                    "run {number} {what} another challenge than {expected}, which follows from the runs before: {found}"
                );
                self.wrong(at, detail);
            }
        }
        self.challenge = challenge::next(self.challenge, ended, number.wrapping_add(1));
        self.attempt(at, &record);
        self.ledger.add_run(&record);
        self.played.runs.push(record);
        self.played.set_of.push(entry.set);
        self.played.entries_with.push(at + 1);
    }

    /// Checks that a run is made when it is its turn. A run is made again if its last attempt is excluded, and only then:
    /// else an operator could repeat a run until it pleases. `run` is not in the ledger yet.
    fn attempt(&mut self, at: usize, run: &RunRecord) {
        self.none_is_to_repeat(at, run.round);
        let number = run.run;
        if self.played.runs.last().is_some_and(|last| last.round > run.round) {
            self.wrong(at, format!("run {number} is of round {}, which is over", run.round + 1));
            return;
        }
        let of = |other: &RunRecord| {
            (other.round, other.set, other.system, other.case) == (run.round, run.set, run.system, run.case)
        };
        let earlier = self
            .played
            .runs
            .iter()
            .rev()
            .take_while(|other| other.round == run.round)
            .find(|other| of(other));
        let earlier = earlier.map(|earlier| earlier.run);
        match (earlier, self.ledger.to_repeat(run.round)) {
            (None, None) => {}
            (Some(earlier), Some(due)) if earlier == due => {}
            (Some(earlier), _) => {
                let detail =
                    format!("run {number} makes run {earlier} again, which was not to be made again");
                self.wrong(at, detail);
            }
            (None, Some(due)) => {
                self.wrong(at, format!("run {number} comes before run {due} was made again"));
            }
        }
    }

    /// Checks that no run of the rounds before `round` was to be made again: they are over.
    fn none_is_to_repeat(&mut self, at: usize, round: u32) {
        let last = self.played.runs.last().map(|last| last.round).filter(|&last| last < round);
        if let Some(due) = last.and_then(|last| self.ledger.to_repeat(last)) {
            self.wrong(at, format!("is of a later round, but run {due} was to be made again"));
        }
    }

    /// The bytes of a run's log; none if it is not there.
    fn read_log(&mut self, at: usize, entry: &RunEntry, folder: &Path) -> Vec<u8> {
        let Some(name) = entry.log.as_deref().and_then(file_name) else {
            self.wrong(at, format!("run {} names no log", entry.run));
            return Vec::new();
        };
        let path = folder.join(RUNS).join(name);
        match fs::read(&path) {
            Ok(log) => {
                let found = Digest::of(&log);
                if entry.log_sha256 != Some(found) {
                    let sealed = entry.log_sha256.map_or("none".to_owned(), |sealed| sealed.to_string());
                    self.problem(path.display(), format!("has SHA-256 {found}, sealed is {sealed}"));
                }
                log
            }
            Err(error) => {
                self.problem(path.display(), format!("cannot be read: {error}"));
                Vec::new()
            }
        }
    }

    /// Works out the decisions that follow from the entries so far.
    fn decide(&mut self) {
        if std::mem::take(&mut self.stale) {
            self.due.extend(self.decisions.fresh(&self.ledger, &self.played.runs));
        }
    }

    /// Checks that the chain has every decision that was due before entry `at`.
    fn none_is_due(&mut self, at: usize) {
        for due in std::mem::take(&mut self.due) {
            self.wrong(at, format!("comes before the evidence's exclusion of {due}"));
        }
    }

    /// A log that the chain does not list is a run that was left out. The log of a run that was being made when the session
    /// ended early is in no list.
    fn every_log_is_listed(&mut self) {
        let listed: BTreeSet<(usize, String)> = self.chain.entries.iter().filter_map(listed).collect();
        let next = format!("run-{:03}-", self.played.runs.len());
        let early = self.chain.end.as_ref().is_none_or(|end| end.incomplete.is_some());
        for (set, sealed) in self.chain.commitment.sets.iter().enumerate() {
            let folder = sealed.row.as_ref().map_or(self.folder.to_owned(), |row| self.folder.join(row));
            for name in logs_in(&folder.join(RUNS)) {
                let being_made = early && name.starts_with(&next);
                if !being_made && !listed.contains(&(set, name.clone())) {
                    let path = folder.join(RUNS).join(&name);
                    self.problem(path.display(), "is in no run of the chain: a run was left out".to_owned());
                }
            }
        }
    }

    /// Something is wrong with entry `at`, which is line `at + 2` of the file.
    fn wrong(&mut self, at: usize, detail: String) {
        self.problem(format_args!("{CHAIN}: line {}", at + 2), detail);
    }

    fn problem(&mut self, place: impl std::fmt::Display, detail: String) {
        self.played.problems.push(Problem { place: place.to_string(), detail });
    }
}

/// Whether an entry belongs to the run before it.
fn follows(entry: &Entry) -> bool {
    matches!(entry, Entry::Diagnosis { .. } | Entry::Excluded(_))
}

/// The set and the file name of a run's log.
fn listed(entry: &Entry) -> Option<(usize, String)> {
    let Entry::Run(run) = entry else { return None };
    Some((run.set, file_name(run.log.as_deref()?)?.to_owned()))
}

/// The names of all logs in a folder. The log of a second guest, which was run to see why the first one died, is no run.
fn logs_in(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = files.filter_map(|file| file.file_name().into_string().ok());
    let mut logs: Vec<String> =
        names.filter(|name| name.ends_with(LOG) && !name.ends_with(DIAGNOSIS_LOG)).collect();
    logs.sort();
    logs
}
