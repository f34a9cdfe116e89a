//! The kernel of the Linux guest: one that the user names, else the distribution's.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{BzImage, LinuxError, apt};
use crate::file_error::FileError;

/// Names a bzImage to use.
pub const KERNEL_VARIABLE: &str = "LINUX_SMP_SCALE_KERNEL";

/// A Linux kernel that QEMU can boot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct LinuxKernel {
    /// The bzImage.
    pub path: PathBuf,
    /// SHA-256 of it, in hexadecimal.
    pub sha256: String,
    /// Its length.
    pub bytes: u64,
    /// Its release.
    pub release: Option<String>,
    /// Where it is from.
    pub origin: Origin,
}

/// Where a kernel is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Origin {
    /// The user named it.
    Given {
        /// How.
        by: String,
    },
    /// The distribution's package tools fetched it, and checked it against the distribution's signed lists.
    Distribution {
        /// The package.
        package: String,
        /// Its version.
        version: String,
    },
}

/// What is kept beside a fetched kernel.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
struct Note {
    file: String,
    sha256: String,
    origin: Origin,
}

const NOTE: &str = "kernel.json";

impl LinuxKernel {
    /// The kernel that [`KERNEL_VARIABLE`] names, else the distribution's, kept in the folder `store`.
    ///
    /// # Errors
    /// The named kernel cannot be used, or the distribution's cannot be fetched.
    pub fn find(store: &Path) -> Result<Self, LinuxError> {
        Self::at_hand(store)?.map_or_else(|| Self::fetch(store), Ok)
    }

    /// As [`Self::find`], but fetches nothing: `None` if the distribution's kernel is not in `store` yet.
    ///
    /// # Errors
    /// The kernel that the variable names cannot be read, or is none.
    pub fn at_hand(store: &Path) -> Result<Option<Self>, LinuxError> {
        match std::env::var_os(KERNEL_VARIABLE).filter(|path| !path.is_empty()) {
            Some(path) => Self::given(Path::new(&path), KERNEL_VARIABLE).map(Some),
            None => Ok(Self::kept(store)),
        }
    }

    /// The kernel at `path`; `by` says who named it.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn given(path: &Path, by: &str) -> Result<Self, LinuxError> {
        Self::open(path.to_owned(), Origin::Given { by: by.to_owned() })
    }

    /// Fetches the distribution's cloud kernel into `store`.
    ///
    /// # Errors
    /// The kernel cannot be fetched, or `store` cannot be written.
    pub fn fetch(store: &Path) -> Result<Self, LinuxError> {
        let unwritable = |source| FileError::Unwritable { path: store.to_owned(), source };
        fs::create_dir_all(store).map_err(unwritable)?;
        // The tools run in it.
        let (path, origin) = apt::fetch(&store.canonicalize().map_err(unwritable)?)?;
        let kernel = Self::open(path, origin)?;
        let file = kernel.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let note = Note { file, sha256: kernel.sha256.clone(), origin: kernel.origin.clone() };
        let note = serde_json::to_vec_pretty(&note).map_err(|error| unwritable(error.into()))?;
        fs::write(store.join(NOTE), note).map_err(unwritable)?;
        Ok(kernel)
    }

    /// The kernel that was fetched before, if its digest has not changed.
    pub(crate) fn kept(store: &Path) -> Option<Self> {
        let note: Note = serde_json::from_slice(&fs::read(store.join(NOTE)).ok()?).ok()?;
        let kernel = Self::open(store.join(Path::new(&note.file).file_name()?), note.origin).ok()?;
        Some(kernel).filter(|kernel| kernel.sha256 == note.sha256)
    }

    fn open(path: PathBuf, origin: Origin) -> Result<Self, LinuxError> {
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(source) => return Err(FileError::Unreadable { path, source }.into()),
        };
        match BzImage::read(&bytes) {
            Ok(BzImage { release }) => {
                let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
                Ok(Self { path, sha256, bytes: bytes.len() as u64, release, origin })
            }
            Err(source) => Err(LinuxError::BzImage { path, source }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel() -> Vec<u8> {
        let mut file = vec![0; 0x300];
        file[0x1fe..0x208].copy_from_slice(b"\x55\xaa\0\0HdrS\x0f\x02");
        (file[0x211], file[0x236]) = (1, 1);
        file
    }

    #[test]
    fn takes_any_bzimage_that_it_is_given() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bzImage");
        fs::write(&path, kernel()).unwrap();
        let found = LinuxKernel::given(&path, "--kernel").unwrap();
        assert_eq!((found.sha256.len(), found.bytes, found.release), (64, 0x300, None));
        assert_eq!(found.origin, Origin::Given { by: "--kernel".to_owned() });
    }

    #[test]
    fn names_a_file_that_is_no_kernel() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("other");
        let missing = LinuxKernel::given(&path, "x").unwrap_err().to_string();
        assert!(missing.contains("other: "), "{missing}");
        fs::write(&path, b"\x7fELF").unwrap();
        let other = LinuxKernel::given(&path, "x").unwrap_err().to_string();
        assert!(other.contains("other: not a bzImage"), "{other}");
    }

    #[test]
    fn uses_a_kept_kernel_only_while_it_is_the_same() {
        let store = tempfile::tempdir().unwrap();
        let path = store.path().join("vmlinuz-1");
        fs::write(&path, kernel()).unwrap();
        let origin = Origin::Distribution { package: "p".to_owned(), version: "1".to_owned() };
        let fetched = LinuxKernel::open(path.clone(), origin.clone()).unwrap();
        let note = Note { file: "vmlinuz-1".to_owned(), sha256: fetched.sha256.clone(), origin };
        fs::write(store.path().join(NOTE), serde_json::to_vec(&note).unwrap()).unwrap();
        assert_eq!(LinuxKernel::kept(store.path()), Some(fetched));
        fs::write(&path, [kernel(), vec![1]].concat()).unwrap();
        assert_eq!(LinuxKernel::kept(store.path()), None);
    }
}
