//! Writing the chain while the session runs: what is written stays, whatever ends the session.

use std::collections::BTreeMap;
use std::path::Path;

use abi::Digest;
use evidence::ledger::Ledger;

use super::decisions::Decisions;
use super::entry::{Commitment, End, Entry, RunEntry};
use super::files::{CHAIN, MANIFEST, ORACLE};
use super::links::LinkWriter;
use crate::{Completion, RunRecord, WriteError, write_atomically};

/// Writes a session's chain.
#[derive(Debug)]
pub struct SealWriter {
    links: LinkWriter,
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
        let links = LinkWriter::create(&folder.join(CHAIN))?;
        let ended = commitment.probes.missing.is_some();
        let mut writer = Self { links, probes: 0, failed: 0, ended, decisions: Decisions::default() };
        writer.append([Entry::Session(Box::new(commitment))])?;
        Ok(writer)
    }

    /// SHA-256 of the last line: after [`SealWriter::create`], that of the commitment.
    #[must_use]
    pub const fn head(&self) -> Digest {
        self.links.head()
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

    fn append(&mut self, entries: impl IntoIterator<Item = Entry>) -> Result<(), WriteError> {
        self.links.append(entries)
    }
}
