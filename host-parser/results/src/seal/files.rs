//! The files of a sealed session, and where they are.

use std::path::{Path, PathBuf};

/// The hash chain.
pub const CHAIN: &str = "session.jsonl";

/// The manifest's text.
pub const MANIFEST: &str = "manifest.toml";

/// The text of the oracle, if the program is not Assay's own: the manifest has its SHA-256.
pub const ORACLE: &str = "oracle.txt";

/// The signature over the chain's file.
pub const SIGNATURE: &str = "session.jsonl.sig";

/// The folder of the runs' files.
pub(super) const RUNS: &str = "runs";

/// How a run's log is named, below [`RUNS`].
pub(super) const LOG: &str = ".serial.log";

/// How the log of a second guest is named, which shows why the first one died. It is no run.
pub(super) const DIAGNOSIS_LOG: &str = ".diagnosis.serial.log";

/// The folder of the session that `folder` belongs to, and the row whose folder it is: a row of `assay ab` has its results
/// in a folder of its own, and the chain is in the one above. A folder without a chain is taken for a session's own.
#[must_use]
pub fn locate(folder: &Path) -> (PathBuf, Option<String>) {
    if folder.join(CHAIN).exists() {
        return (folder.to_owned(), None);
    }
    // `.` and `a/..` have no name to go by.
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let above = whole.parent().filter(|above| above.join(CHAIN).exists());
    match (above, whole.file_name().and_then(|name| name.to_str())) {
        (Some(above), Some(row)) => {
            // As the user wrote it, if that shows the folder above.
            let shown = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
            (shown.unwrap_or(above).to_owned(), Some(row.to_owned()))
        }
        _ => (folder.to_owned(), None),
    }
}

/// The name of a log's file.
pub(super) fn file_name(log: &str) -> Option<&str> {
    Path::new(log).file_name()?.to_str()
}
