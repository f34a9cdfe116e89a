//! The session's chain: what is committed to before the first run, each step, and the end.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use abi::Digest;
use anyhow::Context;
use evidence::challenge;
use results::seal::{CHAIN, Commitment, FORM, SIGNATURE, SealWriter, SealedManifest, SealedSet, signature};
use results::{Completion, WriteError, write_atomically};

use super::{Layout, Session};
use crate::exit::{Coded, Exit, OrExit};

impl Session {
    /// Writes the first line of the chain: from here on it is decided what will count.
    pub(super) fn begin_chain(&mut self) -> Result<(), Coded> {
        let rows: Vec<Option<usize>> = match self.spec.layout {
            Layout::Together => vec![None],
            Layout::Apart => (0..self.spec.rows.len()).map(Some).collect(),
        };
        self.environments = rows.iter().map(|&row| self.environment(row)).collect();
        let sets = rows.iter().zip(&self.environments).map(|(&row, environment)| SealedSet {
            row: row.map(|row| self.spec.rows[row].name.clone()),
            experiment: self.experiment(row.map(|row| &self.spec.rows[row])),
            environment: environment.clone(),
        });
        let manifest = &self.spec.manifest;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let commitment = Commitment {
            form: FORM,
            session: random_name().context("/dev/urandom").or_exit(Exit::Environment)?,
            started_unix_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            command: self.spec.command.clone(),
            tool: self.spec.tool.clone(),
            executable_sha256: executable(),
            manifest: SealedManifest {
                path: manifest.path().display().to_string(),
                sha256: manifest.sha256(),
            },
            rounds: self.rounds.wanted(),
            runs_per_round: u32::try_from(self.rounds.runs_per_round()).unwrap_or(u32::MAX),
            probes: self.ledger.probes().clone(),
            sets: sets.collect(),
        };
        let oracle = manifest.outside().map(|outside| &*outside.oracle);
        let writer = SealWriter::create(self.folder(), commitment, manifest.source(), oracle);
        let writer = writer.or_exit(Exit::Output)?;
        self.challenge = challenge::first(writer.head());
        self.seal = Some(writer);
        Ok(())
    }

    /// Adds the probes that were made since.
    pub(super) fn seal_probes(&mut self) -> Result<(), Coded> {
        let Self { seal, ledger, runs, .. } = self;
        written(seal.as_mut().map(|seal| seal.probes(ledger, runs)))
    }

    /// Adds the last run.
    pub(super) fn seal_run(&mut self) -> Result<(), Coded> {
        let set = self.runs.last().map_or(0, |run| run.set);
        let Self { seal, ledger, runs, .. } = self;
        written(seal.as_mut().map(|seal| seal.run(set, ledger, runs)))
    }

    /// Adds why the guest of the last run died, if it was found out.
    pub(super) fn seal_diagnosis(&mut self) -> Result<(), Coded> {
        let Self { seal, runs, .. } = self;
        written(seal.as_mut().zip(runs.last()).map(|(seal, run)| seal.diagnosis(run)))
    }

    /// Ends the chain, after the results were written, and signs it if a key was given.
    pub(super) fn end_chain(&mut self, completion: &Completion) -> Result<(), Coded> {
        let mut files = BTreeMap::new();
        for name in self.results_files() {
            let path = self.folder().join(&name);
            let bytes = fs::read(&path).with_context(|| path.display().to_string()).or_exit(Exit::Output)?;
            files.insert(name.display().to_string(), Digest::of(&bytes));
        }
        written(self.seal.as_mut().map(|seal| seal.end(completion, files)))?;
        let Some(key) = &self.spec.sign else { return Ok(()) };
        let chain = self.folder().join(CHAIN);
        let bytes = fs::read(&chain).with_context(|| chain.display().to_string()).or_exit(Exit::Output)?;
        let text = signature::sign(key, &bytes);
        write_atomically(&self.folder().join(SIGNATURE), |out| out.write_all(text.as_bytes()))
            .or_exit(Exit::Output)
    }

    /// The files of the results, below the session's folder.
    fn results_files(&self) -> Vec<PathBuf> {
        let folders: Vec<PathBuf> = match self.spec.layout {
            Layout::Together => vec![PathBuf::new()],
            Layout::Apart => self.spec.rows.iter().map(|row| PathBuf::from(&row.name)).collect(),
        };
        let names = report::EXPORTERS.map(report::Exporter::file_name);
        folders.iter().flat_map(|folder| names.map(|name| folder.join(name))).collect()
    }
}

/// The exit code of a chain that could not be written.
fn written(outcome: Option<Result<(), WriteError>>) -> Result<(), Coded> {
    outcome.unwrap_or(Ok(())).or_exit(Exit::Output)
}

/// 128 random bits in hexadecimal.
///
/// # Errors
/// The system has none.
pub fn random_name() -> std::io::Result<String> {
    let mut bytes = [0; 16];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

/// SHA-256 of this program's executable; `None` if it cannot be read.
#[must_use]
pub fn executable() -> Option<Digest> {
    Some(Digest::of(&fs::read("/proc/self/exe").ok()?))
}
