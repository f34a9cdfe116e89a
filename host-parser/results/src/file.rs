//! Writing a file: all of it, or the file as it was before.

use std::fs::Permissions;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Why a file could not be written. Whatever was there before is still there.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot write: {source}", .path.display())]
pub struct WriteError {
    /// The file.
    pub path: PathBuf,
    /// The system's reason.
    pub source: io::Error,
}

/// Writes a file under another name and gives it its own once all of it is on the disk.
///
/// # Errors
/// Those of `write`, and those of the file system. The file is then as it was before.
pub fn write_atomically(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let fail = |source| WriteError { path: path.to_owned(), source };
    let dir = path.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As any program creates a file: the umask decides.
    let mode = Permissions::from_mode(0o666);
    let file = tempfile::Builder::new().prefix(".assay-").permissions(mode).tempfile_in(dir).map_err(fail)?;
    let mut out = BufWriter::new(file);
    write(&mut out).map_err(fail)?;
    let file = out.into_inner().map_err(|error| fail(error.into_error()))?;
    file.as_file().sync_all().map_err(fail)?;
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_file_as_it_was() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("results.json");
        write_atomically(&path, |out| out.write_all(b"first")).expect("written");
        let full = |out: &mut dyn Write| {
            out.write_all(b"half of the sec")?;
            Err(io::Error::from(io::ErrorKind::StorageFull))
        };
        let error = write_atomically(&path, full).expect_err("full");
        assert!(error.to_string().contains("results.json: cannot write: "), "{error}");
        assert_eq!(std::fs::read(&path).expect("still there"), b"first");
        assert_eq!(std::fs::read_dir(dir.path()).expect("a directory").count(), 1);
    }

    #[test]
    fn names_the_file_that_cannot_be_written() {
        let error = write_atomically(Path::new("/nowhere/at/all.csv"), |_| Ok(())).expect_err("no directory");
        assert!(error.to_string().starts_with("/nowhere/at/all.csv: cannot write: "), "{error}");
    }
}
