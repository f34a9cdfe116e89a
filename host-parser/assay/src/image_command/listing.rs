//! The list of the files made, with size and SHA-256: a table for people, and a file for `sha256sum --check`.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use abi::Digest;
use anyhow::Context;
use lab::{Coded, Exit, OrExit};
use results::write_atomically;
use serde::{Serialize, Serializer};

use super::form::Form;

/// The file for `sha256sum --check`.
const SUMS: &str = "SHA256SUMS";

/// The files that one command made in a folder.
pub struct Listing {
    folder: PathBuf,
    files: Vec<File>,
}

/// One of these files.
#[derive(Serialize)]
pub struct File {
    /// Its path, relative to the folder.
    name: String,
    bytes: u64,
    #[serde(serialize_with = "hex")]
    sha256: Digest,
    purpose: &'static str,
}

impl Listing {
    /// Lists the files at `outputs`, which are all below `folder`.
    ///
    /// # Errors
    /// A file cannot be read back.
    pub fn of(folder: &Path, outputs: &[(Form, PathBuf)]) -> Result<Self, Coded> {
        let mut files = Vec::new();
        for (form, path) in outputs {
            for path in files_at(path).with_context(|| path.display().to_string()).or_exit(Exit::Output)? {
                let content =
                    fs::read(&path).with_context(|| path.display().to_string()).or_exit(Exit::Output)?;
                let name = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                let (bytes, sha256) = (content.len() as u64, Digest::of(&content));
                files.push(File { name, bytes, sha256, purpose: form.purpose() });
            }
        }
        Ok(Self { folder: folder.to_owned(), files })
    }

    /// The files.
    pub fn files(&self) -> &[File] {
        &self.files
    }

    /// Writes SHA256SUMS beside the files.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write_sums(&self) -> Result<(), Coded> {
        let path = self.folder.join(SUMS);
        write_atomically(&path, |out| {
            self.files.iter().try_for_each(|file| writeln!(out, "{}  {}", file.sha256, file.name))
        })
        .or_exit(Exit::Output)
    }
}

impl fmt::Display for Listing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.files.iter().map(|file| file.name.len()).max().unwrap_or(0);
        writeln!(f, "in {}:\n", self.folder.display())?;
        writeln!(f, "{:<width$}  {:>10}  {:<64}  for", "file", "bytes", "sha256")?;
        for File { name, bytes, sha256, purpose } in &self.files {
            writeln!(f, "{name:<width$}  {bytes:>10}  {sha256}  {purpose}")?;
        }
        Ok(())
    }
}

fn hex<S: Serializer>(digest: &Digest, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(digest)
}

/// The file at `path`, or the files in it, sorted by name, if it is a folder.
fn files_at(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    if !path.is_dir() {
        return Ok(vec![path.to_owned()]);
    }
    let mut files =
        fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    files.sort();
    Ok(files)
}
