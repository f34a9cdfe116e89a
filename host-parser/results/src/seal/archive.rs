//! A session in one file: a gzip-compressed tar archive with everything that verification reads.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Component, Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use super::SealedSession;
use super::entry::Entry;
use super::files::{CHAIN, MANIFEST, ORACLE, RUNS, SIGNATURE, file_name};
use crate::{WriteError, write_atomically};

/// The most bytes that an archive may hold: sixty-four runs with the longest log that a run may have.
const LIMIT_BYTES: u64 = 1 << 30;

/// Why an archive could not be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// It is not a session's archive.
    #[error("{}: {detail}", path.display())]
    Form {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// Writes a session's chain, manifest, oracle, signature, logs and `results` (names of files in each of its folders) into the
/// archive `path`. The same session gives the same bytes.
///
/// # Errors
/// A file cannot be read or written.
pub fn pack(session: &SealedSession, results: &[&str], path: &Path) -> Result<(), ArchiveError> {
    let mut names: Vec<PathBuf> = [CHAIN, MANIFEST].map(PathBuf::from).to_vec();
    let optional = [ORACLE, SIGNATURE].into_iter().filter(|name| session.folder.join(name).exists());
    names.extend(optional.map(PathBuf::from));
    for set in session.sets() {
        let folder = set.row.as_ref().map(PathBuf::from).unwrap_or_default();
        names.extend(results.iter().map(|name| folder.join(name)));
    }
    names.extend(session.chain.entries.iter().filter_map(|entry| log_of(session, entry)));
    names.sort();
    let files = names.iter().map(|name| {
        let path = session.folder.join(name);
        fs::read(&path).map(|bytes| (name, bytes)).map_err(|source| ArchiveError::Read { path, source })
    });
    let mut tar = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for file in files {
        let (name, bytes) = file?;
        // In memory nothing can fail.
        tar.append_data(&mut header(bytes.len()), name, &bytes[..]).expect("names in a session are short");
    }
    let bytes = tar.into_inner().and_then(GzEncoder::finish).expect("memory takes all");
    Ok(write_atomically(path, |out| out.write_all(&bytes))?)
}

fn header(bytes: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_size(bytes as u64);
    header.set_mode(0o644);
    header.set_mtime(0);
    header
}

/// A run's log, below the session's folder.
fn log_of(session: &SealedSession, entry: &Entry) -> Option<PathBuf> {
    let Entry::Run(run) = entry else { return None };
    let row = session.sets().get(run.set)?.row.as_ref();
    let folder = row.map(PathBuf::from).unwrap_or_default();
    Some(folder.join(RUNS).join(file_name(run.log.as_deref()?)?))
}

/// Unpacks the archive `path` into the folder `to`. It may hold regular files and folders only, none outside `to` and no
/// file twice, and [`LIMIT_BYTES`] in all.
///
/// # Errors
/// It is no such archive, or a file cannot be written.
pub fn unpack(path: &Path, to: &Path) -> Result<(), ArchiveError> {
    let form = |detail: String| ArchiveError::Form { path: path.to_owned(), detail };
    let unreadable = |error: io::Error| form(format!("not readable as a session's archive: {error}"));
    let file = File::open(path).map_err(|source| ArchiveError::Read { path: path.to_owned(), source })?;
    let mut left = LIMIT_BYTES;
    let mut archive = Archive::new(GzDecoder::new(file));
    for entry in archive.entries().map_err(unreadable)? {
        let mut entry = entry.map_err(unreadable)?;
        let name = entry.path().map_err(unreadable)?.into_owned();
        let inside = name.components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
        let kind = entry.header().entry_type();
        if !inside || !matches!(kind, EntryType::Regular | EntryType::Directory) {
            return Err(form(format!("{}: neither a file nor a folder in the archive", name.display())));
        }
        if kind == EntryType::Directory {
            continue;
        }
        let mut bytes = Vec::new();
        entry.by_ref().take(left + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        left =
            left.checked_sub(bytes.len() as u64).ok_or_else(|| form("holds more than 1 GiB".to_owned()))?;
        create(&to.join(&name), &bytes)?;
    }
    Ok(())
}

/// Writes a file that is not there yet, and the folders above it.
fn create(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let folders = path.parent().map_or(Ok(()), fs::create_dir_all);
    let file = folders.and_then(|()| File::create_new(path));
    let written = file.and_then(|mut file| file.write_all(bytes));
    written.map_err(|source| WriteError { path: path.to_owned(), source })
}
