//! A worker's program: the bytes of its file.

use std::path::{Path, PathBuf};

use abi::Digest;
use abi::wire::Label;

use crate::manifest::{Manifest, TASKS};

/// The first bytes of a worker's file (System V ABI, "ELF Header").
const ELF_MAGIC: &[u8] = b"\x7fELF";

/// A worker's ELF: the bytes that run in ring 3, and that the Linux twin loads.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct WorkerBlob {
    name: Label,
    bytes: Vec<u8>,
    sha256: Digest,
    /// The program of the mechanisms' tasks, if the manifest asks for their rows.
    tasks: Option<Box<Self>>,
}

/// Why a program cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// A program in a ramdisk cannot have this name.
    #[error("{name:?}: not the name of a worker program")]
    Name {
        /// The name.
        name: String,
    },
    /// The file cannot be read.
    #[error("worker program {}: {source}; `make {}` builds it", path.display(), make_target(path))]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file of a program that is not Assay's own cannot be read.
    #[error("program {}: {source}; build it first", path.display())]
    ReadOutside {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not an ELF file.
    #[error("worker program {}: not an ELF file", path.display())]
    NotElf {
        /// The file.
        path: PathBuf,
    },
}

/// The target of the Makefile that builds the program of this file.
fn make_target(path: &Path) -> &'static str {
    workloads::make_target(path.file_name().and_then(|name| name.to_str()).unwrap_or_default())
}

impl WorkerBlob {
    /// Loads the manifest's program in the build for what it requires from `folder`, in which the workers were built. The
    /// build for every x86-64 is in `folder` itself, every other in a folder there that is named by its features. A program
    /// that is not Assay's own is where the manifest says. The program of the mechanisms' tasks is loaded with it, if the
    /// manifest asks for their rows.
    ///
    /// # Errors
    /// As for [`WorkerBlob::load`].
    pub fn of_manifest(folder: &Path, manifest: &Manifest) -> Result<Self, BlobError> {
        let blob = Self::of_workers(folder, manifest)?;
        let tasks = manifest.mechanisms().map(|_| Self::load(folder, TASKS).map(Box::new)).transpose()?;
        Ok(Self { tasks, ..blob })
    }

    fn of_workers(folder: &Path, manifest: &Manifest) -> Result<Self, BlobError> {
        if let Some(outside) = manifest.outside() {
            let path = &outside.program;
            return Self::read(path, manifest.program(), |source| BlobError::ReadOutside {
                path: path.clone(),
                source,
            });
        }
        let requires = manifest.needs().requires;
        let folder = if requires.is_none() { folder.to_owned() } else { folder.join(requires.to_string()) };
        Self::load(&folder, manifest.program())
    }

    /// Loads the program `name` from `folder`, in which the workers were built.
    ///
    /// # Errors
    /// A program cannot have the name, the file cannot be read, or it is not an ELF file. Only the kernel checks whether it
    /// can run the ELF.
    pub fn load(folder: &Path, name: &str) -> Result<Self, BlobError> {
        let path = folder.join(name);
        Self::read(&path, name, |source| BlobError::Read { path: path.clone(), source })
    }

    fn read(
        path: &Path,
        name: &str,
        unreadable: impl FnOnce(std::io::Error) -> BlobError,
    ) -> Result<Self, BlobError> {
        let label = Label::new(name).ok_or_else(|| BlobError::Name { name: name.to_owned() })?;
        let bytes = std::fs::read(path).map_err(unreadable)?;
        if bytes.starts_with(ELF_MAGIC) {
            Ok(Self::new(label, bytes))
        } else {
            Err(BlobError::NotElf { path: path.to_owned() })
        }
    }

    /// Returns the program `name` with these bytes, without a check.
    #[must_use]
    pub fn new(name: Label, bytes: Vec<u8>) -> Self {
        let sha256 = Digest::of(&bytes);
        Self { name, bytes, sha256, tasks: None }
    }

    /// The program of the mechanisms' tasks, if there is one.
    #[must_use]
    pub fn tasks(&self) -> Option<&Self> {
        self.tasks.as_deref()
    }

    /// This program, with that of the mechanisms' tasks beside it.
    #[must_use]
    pub fn with_tasks(self, tasks: Self) -> Self {
        Self { tasks: Some(Box::new(tasks)), ..self }
    }

    /// The program with other bytes, and the same tasks beside it.
    #[must_use]
    pub fn with_bytes(&self, bytes: Vec<u8>) -> Self {
        Self { tasks: self.tasks.clone(), ..Self::new(self.name, bytes) }
    }

    /// Its name: the workload's.
    #[must_use]
    pub const fn name(&self) -> Label {
        self.name
    }

    /// Its file's bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The SHA-256 of the bytes.
    #[must_use]
    pub const fn sha256(&self) -> Digest {
        self.sha256
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_an_elf_and_refuses_anything_else() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("good"), b"\x7fELF...").unwrap();
        std::fs::write(folder.path().join("script"), b"#!/bin/sh").unwrap();
        let load = |name| WorkerBlob::load(folder.path(), name);
        assert_eq!(load("good").unwrap().sha256(), Digest::of(b"\x7fELF..."));
        assert!(matches!(load("script"), Err(BlobError::NotElf { .. })));
        assert!(matches!(load("../good"), Err(BlobError::Name { .. })));
        let said = load("primes").unwrap_err().to_string();
        assert!(said.contains("primes: ") && said.contains("`make workers`"), "{said}");
        let said = load("sqlite").unwrap_err().to_string();
        assert!(said.contains("sqlite: ") && said.contains("`make large-workers`"), "{said}");
    }
}
