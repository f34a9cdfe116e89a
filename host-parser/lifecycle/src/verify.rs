//! Verification: every log of a session is judged again, and its results are worked out again from the ledger.
//!
//! Believes no verdict and no figure. What the host observed (when a line arrived, what was left of a machine) is recorded
//! once and can only be read.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use abi::Digest;
use abi::wire::Hex64;
use evidence::challenge;
use evidence::transcript::Transcript;
use experiment::manifest::Manifest;
use lab::schedule;
use results::seal::{MANIFEST, Problem};

use crate::cycle::folder_of;
use crate::judge::{Judges, Refusal};
use crate::ledger::{CYCLES, Challenges, CycleEntry, LEDGER, LOG, Ledger, LedgerError, RESULTS, SAMPLES};
use crate::outcome::{LifeResults, samples};
use crate::session::{Turn, turns};

/// A session, verified.
#[derive(Debug)]
pub struct Verified {
    /// What does not hold; empty if all does.
    pub problems: Vec<Problem>,
    /// Its results, worked out from its ledger and its logs; `None` if its manifest cannot be read.
    pub results: Option<LifeResults>,
    /// How many cycles it has.
    pub cycles: usize,
    /// SHA-256 of the ledger's last line.
    pub head: Digest,
    /// Whether its ledger has an end: it was neither killed, nor does it still run.
    pub ended: bool,
    /// What recorded it.
    pub tool: String,
    /// Its random name.
    pub session: String,
}

/// Whether a folder is a session of this kind.
#[must_use]
pub fn is_lifecycle(folder: &Path) -> bool {
    folder.join(LEDGER).is_file()
}

/// Verifies the session in `folder`.
///
/// # Errors
/// It has no ledger, or one whose lines do not follow from each other.
pub fn verify(folder: &Path) -> Result<Verified, LedgerError> {
    let ledger = Ledger::read(folder)?;
    let mut found = Found { folder, problems: Vec::new() };
    let manifest = found.manifest(&ledger);
    let results = manifest.map(|manifest| {
        found.order(&ledger);
        let refusals = found.cycles(&ledger, &manifest);
        let incomplete = ledger.end.as_ref().map_or(Some("it has no end"), |end| end.incomplete.as_deref());
        let (commitment, cycles) = (&ledger.commitment, &ledger.cycles);
        let results = LifeResults::of(commitment, &manifest, cycles, &refusals, incomplete);
        found.files(&ledger, &results);
        results
    });
    found.unlisted(&ledger);
    let Ledger { commitment, cycles, end, head, .. } = ledger;
    Ok(Verified {
        problems: found.problems,
        results,
        cycles: cycles.len(),
        head,
        ended: end.is_some(),
        tool: commitment.tool.to_string(),
        session: commitment.session,
    })
}

/// What was found wrong.
struct Found<'a> {
    folder: &'a Path,
    problems: Vec<Problem>,
}

impl Found<'_> {
    fn add(&mut self, place: impl std::fmt::Display, detail: impl Into<String>) {
        self.problems.push(Problem { place: place.to_string(), detail: detail.into() });
    }

    /// The manifest that the session committed itself to.
    fn manifest(&mut self, ledger: &Ledger) -> Option<Manifest> {
        let path = self.folder.join(MANIFEST);
        let read = fs::read(&path).map_err(|error| error.to_string()).and_then(|bytes| {
            let (found, sealed) = (Digest::of(&bytes), ledger.commitment.manifest_sha256);
            if found != sealed {
                return Err(format!("has SHA-256 {found}, the session committed itself to {sealed}"));
            }
            Manifest::parse(&path, &bytes).map_err(|error| error.to_string())
        });
        read.map_err(|detail| self.add(path.display(), detail)).ok()
    }

    /// Checks that the cycles are those of the order that the seed gives, from the first on, without a gap.
    fn order(&mut self, ledger: &Ledger) {
        let commitment = &ledger.commitment;
        let rounds = u16::try_from(commitment.rounds).unwrap_or(u16::MAX);
        let order = schedule(&turns(commitment.targets.len(), &commitment.bursts), rounds, commitment.seed);
        let mut due = (0_u32..).zip(order).flat_map(|(turn, slot)| {
            let (target, at_once) = match slot.item {
                Turn::One(target) => (target, None),
                Turn::Burst(burst) => (0, Some(burst)),
            };
            std::iter::repeat_n((turn, slot.round, target, at_once), usize::from(at_once.unwrap_or(1)))
        });
        for (number, cycle) in (0_u32..).zip(&ledger.cycles) {
            let CycleEntry { turn, round, target, at_once, .. } = *cycle;
            let found = Some((turn, round, target, at_once));
            let expected = due.next();
            if cycle.cycle != number || found != expected {
                let detail = format!(
                    "cycle {}: {found:?} as turn, round, target and burst; due is {expected:?}",
                    cycle.cycle
                );
                self.add(format_args!("{LEDGER}: line {}", number + 2), detail);
                return;
            }
        }
        let is_whole = ledger.end.as_ref().is_some_and(|end| end.incomplete.is_none());
        if is_whole && due.next().is_some() {
            self.add(LEDGER, "says that all cycles were made, but some are missing");
        }
    }

    /// Judges every cycle again. Returns why each does not count, if so.
    fn cycles(&mut self, ledger: &Ledger, manifest: &Manifest) -> Vec<Option<Refusal>> {
        let mut judges = Judges::new(&ledger.commitment, manifest);
        let mut challenges = Challenges::new(ledger.commitment_sha256);
        let mut refusals = Vec::new();
        for turn in ledger.cycles.chunk_by(|one, other| one.turn == other.turn) {
            let mut after = challenges;
            for cycle in turn {
                let log = self.log(cycle);
                if let Some(Hex64(challenge)) = cycle.challenge {
                    let due = challenges.of(cycle.cycle);
                    let expected = cycle.expected.as_ref().and_then(|expected| expected.challenge);
                    if challenge != due || expected != Some(due) {
                        let detail = format!(
                            "has challenge {challenge:016x}, due is {due:016x}: a cycle was left out, or moved"
                        );
                        self.add(format_args!("cycle {}", cycle.cycle), detail);
                    }
                    let log = log.as_deref().unwrap_or_default();
                    after.go_on(challenge, challenge::ended(&Transcript::read(log).boots, log));
                }
                refusals.push(judges.judge(cycle, log.as_deref()).err());
            }
            challenges = after;
        }
        refusals
    }

    /// A cycle's log, if it has one; it must be the one that was sealed.
    fn log(&mut self, cycle: &CycleEntry) -> Option<Vec<u8>> {
        let sealed = cycle.log_sha256?;
        let path = folder_of(&self.folder.join(CYCLES), cycle.cycle).join(LOG);
        match fs::read(&path) {
            Ok(bytes) if Digest::of(&bytes) == sealed => return Some(bytes),
            Ok(bytes) => {
                let found = Digest::of(&bytes);
                self.add(path.display(), format!("has SHA-256 {found}, sealed is {sealed}"));
                return Some(bytes);
            }
            Err(error) => self.add(path.display(), error.to_string()),
        }
        None
    }

    /// Compares the files of results with what follows from the ledger.
    fn files(&mut self, ledger: &Ledger, results: &LifeResults) {
        let Some(end) = &ledger.end else { return };
        let due = [(RESULTS, results.json()), (SAMPLES, samples(&ledger.commitment, &ledger.cycles))];
        for (name, text) in due {
            let path = self.folder.join(name);
            let found = fs::read(&path).unwrap_or_default();
            let sealed = end.files.get(name);
            if sealed != Some(&Digest::of(&found)) {
                self.add(path.display(), "is not the file that the session wrote");
            }
            if found != text.as_bytes() {
                self.add(path.display(), "does not follow from the ledger and the logs");
            }
        }
    }

    /// Finds folders of cycles that the ledger does not have.
    fn unlisted(&mut self, ledger: &Ledger) {
        let cycles = self.folder.join(CYCLES);
        let listed: BTreeSet<_> = ledger.cycles.iter().map(|cycle| folder_of(&cycles, cycle.cycle)).collect();
        let interrupted = ledger.end.as_ref().is_none_or(|end| end.incomplete.is_some());
        let mut found: Vec<_> = fs::read_dir(&cycles)
            .into_iter()
            .flatten()
            .flatten()
            .map(|folder| folder.path())
            .filter(|folder| !listed.contains(folder))
            .collect();
        found.sort();
        // A turn that was interrupted has left its logs, and is in no line.
        for folder in found.into_iter().filter(|_| !interrupted) {
            self.add(folder.display(), "is in no line of the ledger: a cycle was left out");
        }
    }
}
