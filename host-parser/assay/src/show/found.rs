//! Sessions on the disk: folders with results.json, or with rows that have one each.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// The file by which a session is known.
pub(super) const RESULTS: &str = "results.json";

/// A session's folder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Session {
    /// The folder.
    pub folder: PathBuf,
    /// The folders of its rows, if each has results of its own.
    rows: Vec<PathBuf>,
    /// When its results were written.
    written: SystemTime,
}

impl Session {
    /// The session at `path`: a folder, or its results.json.
    pub(super) fn at(path: &Path) -> Option<Self> {
        let folder = if path.file_name().is_some_and(|name| name == RESULTS) { path.parent()? } else { path };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        if let Some(written) = written(folder) {
            return Some(Self { folder: folder.to_owned(), rows: Vec::new(), written });
        }
        let mut rows: Vec<PathBuf> = folders(folder).ok()?;
        rows.retain(|row| row.join(RESULTS).is_file());
        rows.sort();
        let written = rows.iter().filter_map(|row| written(row)).max()?;
        Some(Self { folder: folder.to_owned(), rows, written })
    }

    /// Its files of results: one, or one for each row.
    pub(super) fn results(&self) -> Vec<PathBuf> {
        let folders = if self.rows.is_empty() { std::slice::from_ref(&self.folder) } else { &self.rows };
        folders.iter().map(|folder| folder.join(RESULTS)).collect()
    }
}

/// All sessions in `out`, which has a folder for each experiment; the newest first. None if it is not there: the first
/// measurement makes it.
///
/// # Errors
/// `out` cannot be read.
pub(super) fn sessions(out: &Path) -> anyhow::Result<Vec<Session>> {
    let experiments = match folders(out) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        found => found.map_err(|error| anyhow::anyhow!("{}: cannot be read: {error}", out.display()))?,
    };
    // A build's folders have no sessions, and may not be readable.
    let labels = experiments.iter().flat_map(|folder| folders(folder).unwrap_or_default());
    let mut sessions: Vec<Session> = labels.filter_map(|folder| Session::at(&folder)).collect();
    sessions.sort_by(|a, b| b.written.cmp(&a.written).then_with(|| a.folder.cmp(&b.folder)));
    Ok(sessions)
}

fn written(folder: &Path) -> Option<SystemTime> {
    let file = fs::metadata(folder.join(RESULTS)).ok()?;
    file.is_file().then(|| file.modified().unwrap_or(SystemTime::UNIX_EPOCH))
}

fn folders(of: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(of)?.collect::<Result<Vec<_>, _>>()?;
    Ok(entries.into_iter().map(|entry| entry.path()).filter(|path| path.is_dir()).collect())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn put(folder: &Path, age_seconds: u64) {
        fs::create_dir_all(folder).unwrap();
        let file = fs::File::create(folder.join(RESULTS)).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(age_seconds)).unwrap();
    }

    #[test]
    fn the_newest_session_comes_first_and_rows_are_one_session() {
        let out = tempfile::tempdir().unwrap();
        put(&out.path().join("primes/old"), 300);
        put(&out.path().join("primes/new"), 100);
        put(&out.path().join("ab/rows/a"), 200);
        put(&out.path().join("ab/rows/b"), 150);
        fs::create_dir_all(out.path().join("release/deps")).unwrap();
        let found = sessions(out.path()).unwrap();
        let names: Vec<_> = found.iter().map(|of| of.folder.strip_prefix(out.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("primes/new"), Path::new("ab/rows"), Path::new("primes/old")]);
        assert_eq!(found[1].results().len(), 2);
        assert_eq!(sessions(Path::new("/nowhere/at/all")).unwrap(), []);
        assert!(sessions(Path::new("/proc/self/status")).is_err());
    }

    #[test]
    fn a_session_is_named_by_its_folder_or_by_its_results() {
        let out = tempfile::tempdir().unwrap();
        let folder = out.path().join("one");
        put(&folder, 1);
        assert_eq!(Session::at(&folder), Session::at(&folder.join(RESULTS)));
        assert_eq!(Session::at(out.path()).map(|of| of.results().len()), Some(1), "a row of it");
        assert_eq!(Session::at(&out.path().join("none")), None);
    }
}
