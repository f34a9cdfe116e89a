//! From the sessions on the disk to the index.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use results::seal::CHAIN;

use crate::entry::{read, stamp};
use crate::index::{Index, IndexError, Known};

/// A session that is not in the index.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct LeftOut {
    /// Its folder.
    pub folder: PathBuf,
    /// Why.
    pub why: String,
}

/// What a scan found.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Scanned {
    /// How many sessions are in the index now.
    pub sessions: usize,
    /// How many of them were verified just now.
    pub verified: usize,
    /// How many folders are no longer there.
    pub gone: usize,
    /// The sessions that are not in it.
    pub left_out: Vec<LeftOut>,
}

/// How deep below the folder of all sessions a session can be: `workloads/TIME/NAME`.
const DEPTH: usize = 3;

/// Verifies the session in `folder` and adds it.
///
/// # Errors
/// It is not below `out`, or the index cannot be written. A session that does not verify is noted, and is no error.
pub fn add(index: &mut Index, out: &Path, folder: &Path) -> Result<Option<LeftOut>, IndexError> {
    let Some(stamp) = stamp(folder) else {
        return Ok(Some(LeftOut {
            folder: folder.to_owned(),
            why: format!("has no {CHAIN}: is no session"),
        }));
    };
    let name = name(out, folder);
    let (entries, left_out) = match read(folder) {
        Ok(entries) => (entries, None),
        Err(why) => (Vec::new(), Some(why)),
    };
    index.put(&Known { folder: name, stamp, left_out: left_out.clone() }, &entries)?;
    Ok(left_out.map(|why| LeftOut { folder: folder.to_owned(), why }))
}

/// Adds every session in `out` that the index does not know as it is now, and forgets those that are gone. `progress` is
/// called before each that is verified, with how many there are to verify.
///
/// # Errors
/// `out` cannot be read, or the index cannot be written.
pub fn sync(
    index: &mut Index,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scanned, IndexError> {
    look(index, out, false, progress)
}

/// The same, and verifies all of them: what comes of it is made from the files alone.
///
/// # Errors
/// As for [`sync`].
pub fn rebuild(
    index: &mut Index,
    out: &Path,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scanned, IndexError> {
    look(index, out, true, progress)
}

fn look(
    index: &mut Index,
    out: &Path,
    all: bool,
    progress: &mut dyn FnMut(usize, usize),
) -> Result<Scanned, IndexError> {
    // Before the folders are looked for: what another process adds meanwhile is not forgotten.
    let known = index.known()?;
    let found = sessions(out);
    let names: BTreeSet<String> = found.iter().map(|folder| name(out, folder)).collect();
    let gone: Vec<String> =
        known.iter().map(|of| of.folder.clone()).filter(|of| !names.contains(of)).collect();
    index.forget(&gone)?;
    let is_known = |folder: &Path| {
        let (name, stamp) = (name(out, folder), stamp(folder));
        known.iter().any(|of| of.folder == name && Some(of.stamp) == stamp)
    };
    let due: Vec<&PathBuf> = found.iter().filter(|folder| all || !is_known(folder)).collect();
    for (done, folder) in due.iter().enumerate() {
        progress(done, due.len());
        add(index, out, folder)?;
    }
    let now = index.known()?;
    let left_out = now.iter().filter_map(|of| {
        let why = of.left_out.clone()?;
        Some(LeftOut { folder: out.join(&of.folder), why })
    });
    let left_out: Vec<LeftOut> = left_out.collect();
    Ok(Scanned { sessions: now.len() - left_out.len(), verified: due.len(), gone: gone.len(), left_out })
}

/// The folders below `out` that have a chain, by name.
fn sessions(out: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    // A folder that cannot be read, such as one of a build, has no session for this user.
    let _ = search(out, DEPTH, &mut found);
    found.sort();
    found
}

fn search(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if !entry.file_type()?.is_dir() {
            continue;
        }
        let path = entry.path();
        if path.join(CHAIN).is_file() {
            found.push(path);
        } else if depth > 1 {
            let _ = search(&path, depth - 1, found);
        }
    }
    Ok(())
}

/// A folder as the index names it: below `out`, if it is there, so that the whole can be moved.
fn name(out: &Path, folder: &Path) -> String {
    let whole = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (out, folder) = (whole(out), whole(folder));
    folder.strip_prefix(&out).unwrap_or(&folder).to_string_lossy().into_owned()
}
