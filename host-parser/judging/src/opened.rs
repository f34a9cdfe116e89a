//! A sealed session as a command line names it: a folder, a row's folder, or an archive.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use abi::Digest;
use anyhow::anyhow;
use lab::{Coded, Exit, OrExit};
use results::Results;
use results::seal::{Problem, SealError, SealedSession, locate, unpack};
use results::session::{SessionError, StoredSession, Whole};
use serde_json::Value;
use tempfile::TempDir;

/// The file from which a folder without a chain is known as an older session.
const RESULTS: &str = "results.json";

/// A session whose chain was played again.
pub struct Opened {
    /// The session.
    pub session: SealedSession,
    /// The row that the path names, if it is a row's folder.
    pub row: Option<String>,
    /// As the path was given.
    path: PathBuf,
    /// The folder that an archive was unpacked into.
    unpacked: Option<TempDir>,
}

impl Opened {
    /// Opens the session at `path` and judges all of its logs again.
    ///
    /// # Errors
    /// It is no sealed session, or its chain is broken.
    pub fn open(path: &Path) -> Result<Self, Coded> {
        if !path.exists() {
            let shown = path.display();
            return Err(anyhow!("{shown}: no such session; `assay list` has all sessions"))
                .or_exit(Exit::BadInput);
        }
        let (unpacked, (folder, row)) = if path.is_file() {
            let to = tempfile::tempdir().or_exit(Exit::Output)?;
            unpack(path, to.path()).or_exit(Exit::BadInput)?;
            let folder = to.path().to_owned();
            (Some(to), (folder, None))
        } else {
            (None, locate(path))
        };
        let session = SealedSession::read(&folder).map_err(|error| {
            let exit = match &error {
                SealError::Broken { .. } => Exit::NotVerified,
                SealError::Unsealed { .. } if folder.join(RESULTS).exists() => Exit::NotVerified,
                SealError::Unsealed { .. } | SealError::Read { .. } => Exit::BadInput,
            };
            let shown = error.to_string().replace(&*folder.to_string_lossy(), &path.to_string_lossy());
            Err::<(), _>(anyhow!(shown)).or_exit(exit).expect_err("an error")
        })?;
        Ok(Self { session, row, path: path.to_owned(), unpacked })
    }

    /// Everything that does not verify: in the chain, the logs, the manifest and the files of results.
    pub fn problems(&self) -> Vec<Problem> {
        let mut problems = self.session.problems.clone();
        for set in 0..self.session.sets().len() {
            let folder = self.session.folder_of(set);
            let written = match self.session.chain.end {
                Some(_) => Some(self.session.results(set)),
                None => written_runs(&folder).and_then(|runs| self.session.results_so_far(set, runs)),
            };
            match written {
                Some(written) => problems.extend(report::differences(&folder, &written)),
                // A session that was killed early has none yet.
                None if !folder.join(RESULTS).exists() => {}
                None => problems.push(Problem {
                    place: folder.join(RESULTS).display().to_string(),
                    detail: "has runs that the chain does not have".to_owned(),
                }),
            }
        }
        problems.extend(self.replaced());
        problems.into_iter().map(|problem| Problem { place: self.shown(&problem.place), ..problem }).collect()
    }

    /// Files of results that are not those that the session wrote.
    fn replaced(&self) -> Vec<Problem> {
        let files = self.session.chain.end.iter().flat_map(|end| &end.files);
        let replaced = files.filter_map(|(name, sealed)| {
            let path = self.session.folder.join(name);
            let found = Digest::of(&fs::read(&path).ok()?);
            let detail = format!("has SHA-256 {found}, the session wrote {sealed}");
            (found != *sealed).then(|| Problem { place: path.display().to_string(), detail })
        });
        replaced.collect()
    }

    /// A place as the user knows it: in the archive, if it is in the folder that one was unpacked into.
    pub fn shown(&self, place: &str) -> String {
        match &self.unpacked {
            Some(folder) => place.replace(&*folder.path().to_string_lossy(), &self.path.to_string_lossy()),
            None => place.to_owned(),
        }
    }

    /// That there is nothing that does not verify.
    ///
    /// # Errors
    /// There is.
    pub fn verified(&self) -> Result<(), Coded> {
        let problems = self.problems();
        let Some(first) = problems.first() else { return Ok(()) };
        let (path, more) = (self.path.display(), problems.len() - 1);
        let more = if more > 0 { format!("; {more} more") } else { String::new() };
        Err(anyhow!("{path}: does not verify: {first}{more} (`assay verify {path}` lists all)"))
            .or_exit(Exit::NotVerified)
    }

    /// The results of the only set of runs, or of the row that the path names.
    ///
    /// # Errors
    /// There are several.
    pub fn results(&self) -> Result<Results, Coded> {
        Ok(self.session.results(self.set(self.row.as_deref())?))
    }

    /// What counts of the only set of runs, or of the row that the path names.
    ///
    /// # Errors
    /// There are several, or it has no result.
    pub fn stored_one(&self, whole: Whole) -> Result<StoredSession, Coded> {
        let set = self.set(self.row.as_deref())?;
        let mut stored = StoredSession::of(&self.session, set, whole).map_err(coded)?;
        self.path.clone_into(&mut stored.folder);
        Ok(stored)
    }

    /// What counts of these rows.
    ///
    /// # Errors
    /// A row is not there, or has no result.
    pub fn stored(&self, rows: &[&str], whole: Whole) -> Result<Vec<StoredSession>, Coded> {
        let each = rows.iter().map(|row| {
            let set = self.set(Some(row))?;
            StoredSession::of(&self.session, set, whole).map_err(coded)
        });
        each.collect()
    }

    /// The set of results of a row; the only one if there is no row.
    fn set(&self, row: Option<&str>) -> Result<usize, Coded> {
        let sets = self.session.sets();
        let found = match row {
            None if sets.len() == 1 => Some(0),
            row => sets.iter().position(|set| set.row.as_deref() == row && row.is_some()),
        };
        let names: Vec<&str> = sets.iter().filter_map(|set| set.row.as_deref()).collect();
        let path = self.path.display();
        found
            .ok_or_else(|| {
                anyhow!("{path}: has several sessions; name the folder of one: {}", names.join(", "))
            })
            .or_exit(Exit::BadInput)
    }
}

/// How many runs the results in a folder have.
fn written_runs(folder: &Path) -> Option<usize> {
    let results: Value = serde_json::from_slice(&fs::read(folder.join(RESULTS)).ok()?).ok()?;
    Some(results.get("runs")?.as_array()?.len())
}

/// Gives an error its exit code. For a session without a result, that is the exit code of its `run`.
fn coded(error: SessionError) -> Coded {
    let coded = match &error {
        SessionError::Refused { reason, .. } => {
            let reason = *reason;
            Err::<(), _>(error).or_refuse(reason)
        }
        SessionError::Form { .. } => Err(error).or_exit(Exit::BadInput),
    };
    coded.expect_err("an error")
}

/// Verifies the session at `path` and takes what counts of it.
///
/// # Errors
/// It does not verify, or has no result.
pub fn load(path: &Path, whole: Whole) -> Result<StoredSession, Coded> {
    let opened = Opened::open(path)?;
    opened.verified()?;
    opened.stored_one(whole)
}

/// Whether a file is an archive of `assay archive`: a gzip file (RFC 1952, section 2.3.1).
#[must_use]
pub fn is_archive(path: &Path) -> bool {
    let mut magic = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == [0x1f, 0x8b]
}
