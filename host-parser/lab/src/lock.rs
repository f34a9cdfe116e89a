//! One measurement at a time in a folder of results: two would take each other's CPUs, and each would call the other a
//! neighbour.
//!
//! The lock is the kernel's (`flock`): it goes with its holder, however that ends. What stands in the file is only for the
//! message.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::{Context, anyhow};

use crate::exit::{Coded, Exit, OrExit};

/// The lock's file, in the folder of results.
const FILE: &str = "measuring.lock";

/// The right to measure. It ends when dropped.
#[derive(Debug)]
pub struct MeasuringLock {
    file: File,
    path: PathBuf,
}

impl MeasuringLock {
    /// Takes the lock of the folder `out` for a command.
    ///
    /// # Errors
    /// [`Exit::Busy`] if another command holds it: who, and since when. [`Exit::Output`] if there can be no lock.
    pub fn take(out: &Path, command: &str) -> Result<Self, Coded> {
        let path = out.join(FILE);
        let shown = || path.display().to_string();
        fs::create_dir_all(out)
            .with_context(|| format!("{}: cannot create", out.display()))
            .or_exit(Exit::Output)?;
        let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let mut file = opened.with_context(shown).or_exit(Exit::Output)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(anyhow!(
                    "{}: {} measures there; wait for it, or end it",
                    out.display(),
                    holder(&mut file)
                ))
                .or_exit(Exit::Busy);
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(shown).or_exit(Exit::Output),
        }
        let since = humantime::format_rfc3339_seconds(SystemTime::now());
        let text = format!("{command} (process {}, since {since})\n", std::process::id());
        let written = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        written.with_context(shown).or_exit(Exit::Output)?;
        Ok(Self { file, path })
    }

    /// The lock's file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for MeasuringLock {
    /// Leaves no name of a holder behind. The lock itself goes with the file.
    fn drop(&mut self) {
        // If it cannot be emptied, the next holder writes over it.
        let _ = self.file.set_len(0);
    }
}

/// Who holds the lock, as it has written.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.seek(SeekFrom::Start(0)).and_then(|_| file.take(1024).read_to_string(&mut text));
    match text.trim() {
        // Its holder has not written yet.
        "" => "another command".to_owned(),
        text if read.is_ok() => text.to_owned(),
        _ => "another command".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_refused_and_the_first_is_named() {
        let out = tempfile::tempdir().unwrap();
        let first = MeasuringLock::take(out.path(), "assay run a.toml").unwrap();
        let error = MeasuringLock::take(out.path(), "assay run b.toml").unwrap_err();
        assert_eq!(error.exit, Exit::Busy);
        let said = error.to_string();
        let process = format!("(process {}, since 20", std::process::id());
        assert!(said.contains("assay run a.toml ") && said.contains(&process), "{said}");
        let path = first.path().to_owned();
        drop(first);
        assert_eq!(fs::read_to_string(path).unwrap(), "");
        MeasuringLock::take(out.path(), "assay run c.toml").unwrap();
    }

    #[test]
    fn folders_do_not_share_a_lock_and_one_that_cannot_be_is_an_error() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let _first = MeasuringLock::take(one.path(), "a").unwrap();
        let _second = MeasuringLock::take(other.path(), "b").unwrap();
        let file = one.path().join("file");
        fs::write(&file, "").unwrap();
        assert_eq!(MeasuringLock::take(&file, "c").unwrap_err().exit, Exit::Output);
    }
}
