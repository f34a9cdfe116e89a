//! Writing the chain while the session runs: what is written stays, whatever ends the session.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use abi::Digest;
use evidence::ledger::Ledger;

use super::chain::BEFORE_FIRST;
use super::decisions::Decisions;
use super::entry::{Commitment, End, Entry, Line, RunEntry};
use super::files::{CHAIN, MANIFEST, ORACLE};
use crate::{Completion, RunRecord, WriteError, write_atomically};

/// Writes a session's chain.
#[derive(Debug)]
pub struct SealWriter {
    path: PathBuf,
    file: File,
    /// The number of the next line.
    n: u64,
    /// SHA-256 of the last one.
    head: Digest,
    /// How many probes, and failed ones, are written, and whether their end is.
    probes: usize,
    failed: usize,
    ended: bool,
    decisions: Decisions,
}

impl SealWriter {
    /// Begins the chain in `folder`, in which there must be none, and writes the manifest's text beside it, and that of its
    /// oracle if it names one.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn create(
        folder: &Path,
        commitment: Commitment,
        manifest: &str,
        oracle: Option<&str>,
    ) -> Result<Self, WriteError> {
        write_atomically(&folder.join(MANIFEST), |out| out.write_all(manifest.as_bytes()))?;
        if let Some(oracle) = oracle {
            write_atomically(&folder.join(ORACLE), |out| out.write_all(oracle.as_bytes()))?;
        }
        let path = folder.join(CHAIN);
        let file = OpenOptions::new().append(true).create_new(true).open(&path);
        let file = file.map_err(|source| WriteError { path: path.clone(), source })?;
        let ended = commitment.probes.missing.is_some();
        let (n, head, decisions) = (0, BEFORE_FIRST, Decisions::default());
        let mut writer = Self { path, file, n, head, probes: 0, failed: 0, ended, decisions };
        writer.append([Entry::Session(Box::new(commitment))])?;
        Ok(writer)
    }

    /// SHA-256 of the last line: after [`SealWriter::create`], that of the commitment.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.head
    }

    /// Adds the probes that `ledger` has and the chain has not, and what they exclude. `runs` are all runs so far.
    ///
    /// # Errors
    /// The chain cannot be written.
    pub fn probes(&mut self, ledger: &Ledger, runs: &[RunRecord]) -> Result<(), WriteError> {
        let probes = ledger.probes();
        let made = probes.made[self.probes..].iter().copied().map(Entry::Probe);
        let failed = probes.failed[self.failed..].iter().cloned().map(Entry::ProbeFailed);
        let ended = probes.missing.iter().filter(|_| !self.ended).cloned().map(Entry::ProbesEnded);
        let entries: Vec<Entry> = made.chain(failed).chain(ended).collect();
        (self.probes, self.failed) = (probes.made.len(), probes.failed.len());
        self.ended = probes.missing.is_some();
        if entries.is_empty() {
            return Ok(());
        }
        let decided = self.decisions.fresh(ledger, runs).into_iter().map(Entry::Excluded);
        self.append(entries.into_iter().chain(decided))
    }

    /// Adds the last of `runs`, which belongs to `set` and is in the ledger, and what it excludes.
    ///
    /// # Errors
    /// The chain cannot be written.
    pub fn run(&mut self, set: usize, ledger: &Ledger, runs: &[RunRecord]) -> Result<(), WriteError> {
        let Some(run) = runs.last() else { return Ok(()) };
        let entry = Entry::Run(Box::new(RunEntry::of(run, set)));
        let decided = self.decisions.fresh(ledger, runs).into_iter().map(Entry::Excluded);
        self.append(std::iter::once(entry).chain(decided))
    }

    /// Adds why the guest of a run died.
    ///
    /// # Errors
    /// The chain cannot be written.
    pub fn diagnosis(&mut self, run: &RunRecord) -> Result<(), WriteError> {
        let Some(diagnosis) = &run.diagnosis else { return Ok(()) };
        self.append([Entry::Diagnosis { run: run.run, diagnosis: diagnosis.clone() }])
    }

    /// Ends the chain with how the session ended; `files` are those of the results.
    ///
    /// # Errors
    /// The chain cannot be written.
    pub fn end(
        &mut self,
        completion: &Completion,
        files: BTreeMap<String, Digest>,
    ) -> Result<(), WriteError> {
        let (incomplete, patience_over_after_ms) = match completion {
            Completion::Complete => (None, None),
            Completion::OutOfPatience { after_ms } => (None, Some(*after_ms)),
            Completion::Partial { why } => (Some(why.clone()), None),
        };
        self.append([Entry::End(End { incomplete, patience_over_after_ms, files })])
    }

    /// Appends entries: all of them are in the file, and on the disk, before it returns.
    fn append(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<(), WriteError> {
        let mut lines = Vec::new();
        for entry in entries {
            let line = Line { n: self.n, prev: self.head, entry };
            let text = serde_json::to_vec(&line).map_err(|error| self.failed_by(error.into()))?;
            self.head = Digest::of(&text);
            self.n += 1;
            lines.extend(text);
            lines.push(b'\n');
        }
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        written.map_err(|source| self.failed_by(source))
    }

    fn failed_by(&self, source: io::Error) -> WriteError {
        WriteError { path: self.path.clone(), source }
    }
}
