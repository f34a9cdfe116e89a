//! `assay archive`: a session with its logs in one file, for publication.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use clap::Args;
use lab::{Coded, Exit, OrExit, console};
use report::{EXPORTERS, Exporter};
use results::seal::{ArchiveError, pack};

use crate::verify::Opened;

/// `assay archive`.
#[derive(Args, Debug)]
pub struct ArchiveArgs {
    /// Folder of a session
    pub session: PathBuf,
    /// The archive, such as docs/results/NAME/session.tar.gz
    pub archive: PathBuf,
}

/// Verifies the session and writes its archive.
///
/// # Errors
/// The session does not verify, or the archive cannot be written.
pub fn run(args: &ArchiveArgs) -> Result<Exit, Coded> {
    let opened = Opened::open(&args.session)?;
    opened.verified()?;
    let files = EXPORTERS.map(Exporter::file_name);
    pack(&opened.session, &files, &args.archive).map_err(|error| {
        let exit = match &error {
            ArchiveError::Write(_) => Exit::Output,
            ArchiveError::Form { .. } | ArchiveError::Read { .. } => Exit::BadInput,
        };
        Err::<(), _>(error).or_exit(exit).expect_err("an error")
    })?;
    console::data("file", &args.archive)?;
    console::data("runs", &opened.session.runs())?;
    console::answer(&format!("{}: {} runs, verified\n", args.archive.display(), opened.session.runs()))?;
    Ok(Exit::Holds)
}

/// Whether a file is an archive of `assay archive`: a gzip file (RFC 1952, section 2.3.1).
pub fn is_archive(path: &Path) -> bool {
    let mut magic = [0; 2];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut magic));
    read.is_ok() && magic == [0x1f, 0x8b]
}
