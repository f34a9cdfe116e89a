//! `assay archive`: a session with its logs in one file, for publication.

use std::path::PathBuf;

use clap::Args;
use judging::Opened;
use lab::{Coded, Exit, OrExit, console};
use report::{EXPORTERS, Exporter};
use results::seal::{ArchiveError, pack};

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
